//! The table at the end: every step, how it ended, how long it took, and how to run a failed one again.

use std::time::Duration;

use super::{Record, Verdict};

/// Prints the table and, below it, what to do about failures.
pub(super) fn print(records: &[Record]) {
    eprint!("{}", table(records));
}

fn table(records: &[Record]) -> String {
    let mut text = String::from("\nstep       seconds  result\n");
    for Record { step, verdict, took } in records {
        let (seconds, result) = match verdict {
            Verdict::Passed => (took.as_secs_f64(), "ok".to_owned()),
            Verdict::Failed => (took.as_secs_f64(), "FAILED".to_owned()),
            Verdict::Skipped(reason) => (took.as_secs_f64(), format!("skipped: {reason}")),
            Verdict::NotReached => (0.0, "not reached".to_owned()),
        };
        text += &format!("{:<9} {seconds:>8.1}  {result}\n", step.name());
    }
    let total: Duration = records.iter().map(|record| record.took).sum();
    text += &format!("{:<9} {:>8.1}\n", "total", total.as_secs_f64());
    for Record { step, verdict, .. } in records {
        if matches!(verdict, Verdict::Failed) {
            text += &format!("\n{0} failed; to run it alone: cargo xtask check --only {0}\n", step.name());
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::Step;
    use super::*;

    #[test]
    fn the_table_names_every_step_and_how_to_rerun_a_failed_one() {
        let record = |step, verdict, seconds| Record { step, verdict, took: Duration::from_secs(seconds) };
        let text = table(&[
            record(Step::Format, Verdict::Passed, 1),
            record(Step::Test, Verdict::Failed, 62),
            record(Step::Docs, Verdict::NotReached, 0),
            record(Step::Wasm, Verdict::Skipped("no compiler".to_owned()), 0),
        ]);
        assert_eq!(
            text,
            "\n\
             step       seconds  result\n\
             format         1.0  ok\n\
             test          62.0  FAILED\n\
             docs           0.0  not reached\n\
             wasm           0.0  skipped: no compiler\n\
             total         63.0\n\
             \n\
             test failed; to run it alone: cargo xtask check --only test\n"
        );
    }
}
