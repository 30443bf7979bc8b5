import assert from 'node:assert/strict';
import { done, entries, has, make, plain } from '../crm.mjs';

export const title = 'many at once';

export const cases = {
  async 'changes the owner of one record, and of several'({ sdk: { ChangeOwner }, session, ...crm }) {
    const { create, get, notified } = crm;
    const ids = await create('Leads', { Last_Name: 'A', Company: 'X' }, { Last_Name: 'B', Company: 'X' });
    await notified('Leads', 'insert', ids);
    const operations = new ChangeOwner.ChangeOwnerOperations('Leads');
    const owner = make(ChangeOwner.Owner, { id: BigInt(session.colleague.id) });
    const one = make(ChangeOwner.BodyWrapper, { owner, notify: true });
    done(await operations.singleUpdate(BigInt(ids[0]), one), 200, 'owner is successfully updated');
    await notified('Leads', 'update', [ids[0]], ['Owner']);
    const rest = make(ChangeOwner.MassWrapper, { owner, ids: [BigInt(ids[1])], notify: false });
    done(await operations.massUpdate(rest), 200, 'owner is successfully updated');
    await notified('Leads', 'update', [ids[1]], ['Owner']);
    has(await get('Leads', ids[1]), { Owner: { id: session.colleague.id, email: session.colleague.email } });
  },

  async 'updates and deletes records by their ids'({ sdk: { Record, MassDeleteCvid }, ...crm }) {
    const { create, record, operations, notified } = crm;
    const ids = await create('Leads', { Last_Name: 'C', Company: 'Y' }, { Last_Name: 'D', Company: 'Y' });
    await notified('Leads', 'insert', ids);
    const update = make(Record.MassUpdateBodyWrapper, { data: [record({ City: 'Graz' })], ids, overWrite: true });
    done(await operations('Leads').massUpdateRecords(update), 200, 'record updated');
    await notified('Leads', 'update', ids, ['City']);
    const remove = make(MassDeleteCvid.RecordIdBodyWrapper, { ids: ids.map(BigInt) });
    const mass = new MassDeleteCvid.MassDeleteCvidOperations('Leads');
    done(await mass.massDeleteByRecordId(remove), 200, 'record is deleted');
    await notified('Leads', 'delete', ids);
  },

  async 'does what is too much for one answer as a job, and tells how it went'({
    sdk: { Record, MassDeleteCvid },
    ...crm
  }) {
    const { create, record, operations, params, notifiedOfAll } = crm;
    const ids = [];
    for (let i = 0; i < 6; i += 1) {
      const batch = Array.from({ length: 100 }, (_, j) => ({ Last_Name: `Lead ${i * 100 + j}`, Company: 'Many' }));
      ids.push(...(await create('Leads', ...batch)));
    }
    await notifiedOfAll('Leads', 'insert', ids);
    const update = make(Record.MassUpdateBodyWrapper, { data: [record({ City: 'Bern' })], ids });
    const scheduled = await operations('Leads').massUpdateRecords(update);
    const [{ details }] = entries(scheduled);
    done(scheduled, 200, 'mass update scheduled successfully');
    const job = await params(Record.GetMassUpdateStatusParam, { JOB_ID: details.job_id });
    const status = await operations('Leads').getMassUpdateStatus(job);
    has(plain(status.getObject().getData()), [
      { status: 'COMPLETED', totalCount: 600, updatedCount: 600, notUpdatedCount: 0, failedCount: 0 },
    ]);
    await notifiedOfAll('Leads', 'update', ids);

    const mass = new MassDeleteCvid.MassDeleteCvidOperations('Leads');
    const removal = await mass.massDeleteByRecordId(make(MassDeleteCvid.RecordIdBodyWrapper, { ids: ids.map(BigInt) }));
    const [{ details: deletion }] = entries(removal);
    done(removal, 200, 'mass delete scheduled successfully');
    const asked = await params(MassDeleteCvid.GetMassDeleteStatusParam, { JOB_ID: BigInt(deletion.job_id) });
    has(plain((await mass.getMassDeleteStatus(asked)).getObject().getData()), [
      { status: 'COMPLETED', totalCount: 600, deletedCount: 600, failedCount: 0 },
    ]);
    await notifiedOfAll('Leads', 'delete', ids);
    assert.equal(await crm.get('Leads', ids[0]), undefined);
  },
};
