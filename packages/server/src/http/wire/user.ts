import { idFromSerial } from '../../domain/ids.ts';
import { fullName, type Org, type Profile, type User, type UserStatus } from '../../domain/org.ts';

/** Of the organisation's own entry; below the serials of records. */
const ORG_SERIAL = 20_005;

/** As the wire says it. */
const STATUS: Record<UserStatus, string> = { active: 'active', inactive: 'disabled', removed: 'deleted' };

/** One entry of `users`. What this server does not keep is null. */
export function userBody({ org, user, profile }: { org: Org; user: User; profile: Profile }): object {
  return {
    id: user.id,
    zuid: user.id,
    first_name: user.firstName,
    last_name: user.lastName,
    full_name: fullName(user),
    email: user.email,
    profile: { name: profile.name, id: profile.id },
    role: null,
    status: STATUS[user.status ?? 'active'],
    confirm: true,
    type__s: 'Regular User',
    time_zone: org.timeZone,
    locale: 'en_US',
    language: 'en_US',
    country_locale: 'en_US',
    created_by: null,
    Modified_By: null,
    Reporting_To: null,
    phone: null,
    mobile: null,
    alias: null,
    microsoft: false,
    personal_account: false,
  };
}

/** The entry of `org`. What this server does not keep is null. */
export function orgBody(org: Org): object {
  return {
    id: idFromSerial(org.id, ORG_SERIAL),
    zgid: org.id,
    company_name: org.name,
    time_zone: org.timeZone,
    type: 'Production',
    alias: null,
    description: null,
    photo_id: null,
    domain_name: null,
    ezgid: null,
    zia_zgid: null,
    zia_portal_id: null,
    primary_email: null,
    primary_zuid: null,
    phone: null,
    mobile: null,
    fax: null,
    website: null,
    employee_count: null,
    street: null,
    city: null,
    state: null,
    zip: null,
    country: null,
    country_code: null,
    currency: 'US Dollar - USD',
    iso_code: 'USD',
    currency_symbol: '$',
    currency_locale: 'en_US',
    license_details: null,
    hierarchy_preferences: null,
    checkin_preferences: { restricted_event_types: null },
    call_icon: null,
    max_per_page: 200,
    oauth_presence: true,
    mc_status: false,
    gapps_enabled: false,
    translation_enabled: false,
    privacy_settings: false,
    hipaa_compliance_enabled: false,
    lite_users_enabled: false,
    deletable_org_account: false,
  };
}
