//! What a figure depends on beside the code: the machine, its system, the compiler.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::process;

/// The stamp of a record.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    pub(crate) cpu: String,
    /// Of the CPU, those that matter for arithmetic.
    pub(crate) features: Vec<String>,
    pub(crate) cores: usize,
    pub(crate) system: String,
    pub(crate) rustc: String,
    /// The commit, and whether files differ from it.
    pub(crate) commit: String,
    /// How many programs wanted to run in the minute before: more than none disturbs.
    pub(crate) load: Option<f64>,
}

impl Machine {
    pub(super) fn detect(root: &Path) -> Self {
        let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let sysctl = |name: &str| process::output(Command::new("sysctl").args(["-n", name]));
        let unknown = || "unknown".to_owned();
        Self {
            cpu: cpu(&info).or_else(|| sysctl("machdep.cpu.brand_string")).unwrap_or_else(unknown),
            features: features(&info),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            system: system(),
            rustc: process::output(Command::new("rustc").arg("--version").current_dir(root))
                .unwrap_or_else(unknown),
            commit: commit(root),
            load: fs::read_to_string("/proc/loadavg")
                .ok()
                .and_then(|text| text.split(' ').next()?.parse().ok()),
        }
    }
}

/// The value behind a name in the form of `/proc/cpuinfo`.
fn value<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    let lines = info.lines().filter_map(|line| line.split_once(':'));
    lines.filter(|(key, _)| key.trim() == name).map(|(_, value)| value.trim()).next()
}

/// The model, with the numbers that tell generations apart where the name does not.
fn cpu(info: &str) -> Option<String> {
    let name = value(info, "model name")?;
    let number = |name| value(info, name);
    Some(match (number("cpu family"), number("model")) {
        (Some(family), Some(model)) => format!("{name} (family {family}, model {model})"),
        _ => name.to_owned(),
    })
}

fn features(info: &str) -> Vec<String> {
    let all = value(info, "flags").or_else(|| value(info, "Features")).unwrap_or_default();
    let matters =
        |flag: &&str| ["fma", "avx", "asimd", "sve", "amx"].iter().any(|start| flag.starts_with(start));
    all.split(' ').filter(matters).map(str::to_owned).collect()
}

fn system() -> String {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let name =
        release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME=")).map(|name| name.trim_matches('"'));
    let kernel = process::output(Command::new("uname").args(["-srm"]));
    [name.map(str::to_owned), kernel].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn commit(root: &Path) -> String {
    let git = |arguments: &[&str]| process::output(Command::new("git").current_dir(root).args(arguments));
    let Some(commit) = git(&["rev-parse", "--short=9", "HEAD"]) else { return "unknown".to_owned() };
    match git(&["status", "--porcelain"]).as_deref() {
        Some("") => commit,
        _ => format!("{commit} with changes that are not committed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INFO: &str = "processor\t: 0\ncpu family\t: 25\nmodel\t\t: 17\nmodel name\t: AMD EPYC\n\
                        flags\t\t: fpu sse2 fma avx2 avx512f aes\n\nprocessor\t: 1\nmodel name\t: other\n";

    #[test]
    fn the_cpu_is_told_from_its_file() {
        assert_eq!(cpu(INFO).as_deref(), Some("AMD EPYC (family 25, model 17)"));
        assert_eq!(features(INFO), ["fma", "avx2", "avx512f"]);
        assert_eq!(cpu(""), None);
    }
}
