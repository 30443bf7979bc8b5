import type { Reporter, TestModule } from 'vitest/node';

/** Prints the run's last line in the form that any CI can read. */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const count = { passed: 0, failed: 0, skipped: 0 };
    let compared: number | undefined;
    for (const module of modules) {
      if (!module.ok() && [...module.children.allTests()].every((test) => test.ok())) count.failed += 1;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        count[state === 'pending' ? 'skipped' : state] += 1;
        const { comparedAnswers } = test.meta() as { readonly comparedAnswers?: number };
        if (comparedAnswers !== undefined) compared = (compared ?? 0) + comparedAnswers;
      }
    }
    process.stdout.write(
      compared === undefined
        ? '\nThe public OpenAPI files are not at hand: answers of v8 were not compared with them\n'
        : `\n${compared} answers of v8 were compared with the public OpenAPI files\n`,
    );
    process.stdout.write(`\n${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped\n`);
  }
}
