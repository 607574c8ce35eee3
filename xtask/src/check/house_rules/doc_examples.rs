//! An example in the documentation that is not compiled says why: ```` ```ignore (needs a GPU) ````.
//!
//! For tests that are `#[ignore]`d clippy's `ignore_without_reason` asks the same.

use super::Source;

/// The examples that are ignored without a reason.
pub(super) fn problems(source: &Source) -> Vec<String> {
    let lines = source.text.lines().zip(1..);
    lines
        .filter(|(line, _)| is_ignored_without_reason(line))
        .map(|(_, number)| {
            format!("{}:{number}: an ignored example needs its reason: ```ignore (why)", source.path)
        })
        .collect()
}

fn is_ignored_without_reason(line: &str) -> bool {
    let line = line.trim_start();
    let Some(comment) = line.strip_prefix("///").or_else(|| line.strip_prefix("//!")) else { return false };
    let Some(info) = comment.trim_start().strip_prefix("```") else { return false };
    let (words, reason) = match info.split_once('(') {
        Some((words, rest)) => (words, rest.trim_end().strip_suffix(')').unwrap_or("")),
        None => (info, ""),
    };
    words.split([',', ' ']).any(|word| word == "ignore") && reason.trim().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_ignored_example_without_reason_is_found() {
        let lines = [
            "/// ```ignore",
            "    //! ```rust,ignore",
            "/// ```ignore ()",
            "/// ```ignore (needs a model file)",
            "/// ```no_run",
            "/// ```",
            "/// do not ignore",
        ];
        let found = problems(&Source { path: "src/lib.rs".to_owned(), text: lines.join("\n") });
        let places: Vec<_> = found.iter().filter_map(|line| line.split(": ").next()).collect();
        assert_eq!(places, ["src/lib.rs:1", "src/lib.rs:2", "src/lib.rs:3"]);
    }
}
