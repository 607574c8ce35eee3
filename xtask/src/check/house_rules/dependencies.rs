//! Every dependency is chosen once, for a reason that is written down, and used.
//!
//! Versions stand in the root manifest, reasons in the table of CONTRIBUTING.md (a row is "| `name` | reason |"),
//! and each crate inherits what its sources name.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use toml::{Table, Value};

use super::Member;

/// What the rules need of the root manifest.
pub(super) struct Workspace {
    pub(super) members: Vec<String>,
    /// From name to whether it is a crate of this workspace.
    dependencies: BTreeMap<String, bool>,
}

impl Workspace {
    pub(super) fn parse(manifest: &str) -> Result<Self> {
        let manifest: Table = manifest.parse()?;
        let workspace = manifest.get("workspace").and_then(Value::as_table).context("no [workspace]")?;
        let members = workspace.get("members").and_then(Value::as_array).context("no workspace.members")?;
        let members = members.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        let dependencies = workspace.get("dependencies").and_then(Value::as_table);
        let dependencies = dependencies.into_iter().flatten();
        let dependencies =
            dependencies.map(|(name, value)| (name.clone(), value.get("path").is_some())).collect();
        Ok(Self { members, dependencies })
    }
}

/// What the rules need of a member's manifest.
pub(super) struct Manifest {
    pub(super) name: String,
    pub(super) dependencies: Vec<Dependency>,
}

pub(super) struct Dependency {
    name: String,
    /// Whether the version is the workspace's.
    inherited: bool,
}

impl Manifest {
    pub(super) fn parse(manifest: &str) -> Result<Self> {
        let manifest: Table = manifest.parse()?;
        let name = manifest.get("package").and_then(|package| package.get("name")).and_then(Value::as_str);
        let name = name.context("no package.name")?.to_owned();
        let targets = manifest.get("target").and_then(Value::as_table);
        let targets = targets.into_iter().flatten().filter_map(|(_, target)| target.as_table());
        let dependencies = std::iter::once(&manifest).chain(targets).flat_map(dependencies_of).collect();
        Ok(Self { name, dependencies })
    }
}

/// The three kinds of dependencies of a table that may hold them: the whole manifest, or one target's part.
fn dependencies_of(table: &Table) -> Vec<Dependency> {
    let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
    let entries = kinds.iter().filter_map(|kind| table.get(*kind)?.as_table()).flatten();
    entries
        .map(|(name, value)| Dependency {
            name: name.clone(),
            inherited: value.get("workspace").and_then(Value::as_bool) == Some(true),
        })
        .collect()
}

/// Everything that is wrong with the dependencies.
pub(super) fn problems(workspace: &Workspace, members: &[Member], contributing: &str) -> Vec<String> {
    let mut problems = explanations(&workspace.dependencies, contributing);
    let mut used = BTreeSet::new();
    for Member { manifest, sources } in members {
        for Dependency { name, inherited } in &manifest.dependencies {
            used.insert(name);
            if !inherited {
                problems.push(format!(
                    "{}: `{name}` must be inherited: put its version into [workspace.dependencies] of the root \
                     Cargo.toml and write `{name}.workspace = true`",
                    manifest.name
                ));
            }
            if !sources.iter().any(|source| names_crate(&source.text, name)) {
                problems.push(format!(
                    "{}: depends on `{name}`, but no source file names it: remove the dependency",
                    manifest.name
                ));
            }
        }
    }
    let unused = workspace.dependencies.keys().filter(|name| !used.contains(name));
    problems
        .extend(unused.map(|name| format!("Cargo.toml: no crate uses the workspace dependency `{name}`")));
    problems
}

/// Compares the table of reasons with the dependencies from outside.
fn explanations(dependencies: &BTreeMap<String, bool>, contributing: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let mut explained = BTreeSet::new();
    for (name, reason) in contributing.lines().filter_map(row) {
        if reason.is_empty() {
            problems.push(format!("CONTRIBUTING.md: `{name}` is listed without a reason"));
        }
        if dependencies.get(name) != Some(&false) {
            problems.push(format!(
                "CONTRIBUTING.md: `{name}` is listed, but is no dependency from outside in the root Cargo.toml"
            ));
        }
        if !explained.insert(name) {
            problems.push(format!("CONTRIBUTING.md: `{name}` is listed twice"));
        }
    }
    let from_outside = dependencies.iter().filter(|(_, is_ours)| !**is_ours).map(|(name, _)| name);
    let unexplained = from_outside.filter(|name| !explained.contains(name.as_str()));
    problems.extend(unexplained.map(|name| {
        format!("CONTRIBUTING.md: why do we depend on `{name}`? Add a row to the table of dependencies")
    }));
    problems
}

/// The name and the reason of a row "| `name` | reason |"; other lines are no rows.
fn row(line: &str) -> Option<(&str, &str)> {
    let (name, reason) = line.trim().strip_prefix("| `")?.split_once("` |")?;
    Some((name, reason.trim_end_matches('|').trim()))
}

/// Whether the name of a crate stands in a source text as a word of its own, as in `use name::` or `#[name(...)]`.
fn names_crate(source: &str, name: &str) -> bool {
    let word = name.replace('-', "_");
    source.split(|c: char| !c.is_alphanumeric() && c != '_').any(|found| found == word)
}

#[cfg(test)]
mod tests {
    use super::super::Source;
    use super::*;

    const WORKSPACE: &str = r#"
        [workspace]
        members = ["crates/*", "xtask"]
        [workspace.dependencies]
        ours = { path = "crates/ours", version = "0.1.0" }
        rand = { version = "0.10", default-features = false }
        base64 = "0.23"
    "#;
    const MEMBER: &str = r#"
        [package]
        name = "ours"
        [dependencies]
        ours.workspace = true
        rand = { workspace = true, features = ["std"] }
        [target.'cfg(unix)'.dev-dependencies]
        base64.workspace = true
    "#;
    const SOURCE: &str = "use rand::Rng; use base64 as b; ours::run();";
    const TABLE: &str =
        "| crate | reason |\n|---|---|\n| `rand` | draws |\n| `base64` | pictures in pages |\n";

    fn found(workspace: &str, member: &str, source: &str, contributing: &str) -> Vec<String> {
        let workspace = Workspace::parse(workspace).expect("the test's manifest");
        let manifest = Manifest::parse(member).expect("the test's manifest");
        let sources = vec![Source { path: "src/lib.rs".to_owned(), text: source.to_owned() }];
        problems(&workspace, &[Member { manifest, sources }], contributing)
    }

    #[track_caller]
    fn assert_one(found: &[String], words: &[&str]) {
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(words.iter().all(|word| found[0].contains(word)), "{found:?}");
    }

    #[test]
    fn explained_inherited_and_used_is_fine() {
        assert_eq!(found(WORKSPACE, MEMBER, SOURCE, TABLE), [""; 0]);
        let workspace = Workspace::parse(WORKSPACE).expect("the test's manifest");
        assert_eq!(workspace.members, ["crates/*", "xtask"]);
    }

    #[test]
    fn a_dependency_without_row_or_reason_is_found() {
        let table = TABLE.replace("| `rand` | draws |\n", "");
        assert_one(&found(WORKSPACE, MEMBER, SOURCE, &table), &["why", "`rand`"]);
        let table = TABLE.replace("draws", "");
        assert_one(&found(WORKSPACE, MEMBER, SOURCE, &table), &["without a reason", "`rand`"]);
    }

    #[test]
    fn a_row_too_many_is_found() {
        let table = format!("{TABLE}| `serde` | derives |\n");
        assert_one(&found(WORKSPACE, MEMBER, SOURCE, &table), &["is no dependency", "`serde`"]);
        let table = format!("{TABLE}| `ours` | is ours |\n");
        assert_one(&found(WORKSPACE, MEMBER, SOURCE, &table), &["is no dependency", "`ours`"]);
        let table = format!("{TABLE}| `rand` | draws again |\n");
        assert_one(&found(WORKSPACE, MEMBER, SOURCE, &table), &["twice", "`rand`"]);
    }

    #[test]
    fn a_version_of_a_crates_own_is_found() {
        let member = MEMBER.replace("base64.workspace = true", "base64 = \"0.22\"");
        assert_one(&found(WORKSPACE, &member, SOURCE, TABLE), &["inherited", "`base64`"]);
    }

    #[test]
    fn a_dependency_that_no_source_names_is_found() {
        let source = SOURCE.replace("rand::Rng", "operand::rand_core");
        assert_one(&found(WORKSPACE, MEMBER, &source, TABLE), &["no source file", "`rand`"]);
    }

    #[test]
    fn a_dependency_that_no_crate_has_is_found() {
        let workspace = format!("{WORKSPACE}\n        rayon = \"1\"\n");
        let table = format!("{TABLE}| `rayon` | threads |\n");
        assert_one(&found(&workspace, MEMBER, SOURCE, &table), &["no crate uses", "`rayon`"]);
    }

    #[test]
    fn names_with_hyphens_are_identifiers_with_underscores() {
        assert!(names_crate("use limpid_kernels::conv;", "limpid-kernels"));
        assert!(!names_crate("// limpid-kernels", "limpid-kernels"));
    }
}
