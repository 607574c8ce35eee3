//! The rules of this workspace that no compiler knows.
//!
//! Each rule is a function from texts to what it finds wrong with them; this file reads the workspace for them.

mod dependencies;
mod doc_examples;
mod unsafe_code;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use self::dependencies::Manifest;
use super::{Context, Outcome};

/// A member of the workspace, with the texts that the rules read.
struct Member {
    manifest: Manifest,
    sources: Vec<Source>,
}

/// A Rust file.
struct Source {
    /// Relative to the root of the workspace, with `/` on every system.
    path: String,
    text: String,
}

/// Prints everything that breaks a rule.
pub(super) fn run(context: &Context) -> Result<Outcome> {
    let read = |path: &str| read(&context.root.join(path));
    let workspace = dependencies::Workspace::parse(&read("Cargo.toml")?).context("in Cargo.toml")?;
    let contributing = read("CONTRIBUTING.md")?;
    let members = members(&context.root, &workspace.members)?;

    let mut problems = dependencies::problems(&workspace, &members, &contributing);
    for source in members.iter().flat_map(|member| &member.sources) {
        problems.extend(doc_examples::problems(source));
    }
    for member in &members {
        problems.extend(unsafe_code::problems(member));
    }

    if !problems.is_empty() {
        for problem in &problems {
            eprintln!("  {problem}");
        }
        bail!("{} against the rules of the house (see CONTRIBUTING.md)", problems.len());
    }
    eprintln!("     {} crates keep the rules of the house", members.len());
    Ok(Outcome::Passed)
}

/// The members that the patterns name: a folder each, or `folder/*` for every package inside.
fn members(root: &Path, patterns: &[String]) -> Result<Vec<Member>> {
    let mut members = Vec::new();
    for pattern in patterns {
        let folders = match pattern.strip_suffix("/*") {
            Some(parent) => entries(&root.join(parent))?,
            None => vec![root.join(pattern)],
        };
        for folder in folders {
            let manifest = folder.join("Cargo.toml");
            if manifest.exists() {
                members.push(member(root, &folder).with_context(|| format!("in {}", manifest.display()))?);
            }
        }
    }
    Ok(members)
}

fn member(root: &Path, folder: &Path) -> Result<Member> {
    let manifest = Manifest::parse(&read(&folder.join("Cargo.toml"))?)?;
    let mut sources = Vec::new();
    for place in ["src", "tests", "benches", "examples", "build.rs"] {
        collect_sources(root, &folder.join(place), &mut sources)?;
    }
    Ok(Member { manifest, sources })
}

fn collect_sources(root: &Path, path: &Path, sources: &mut Vec<Source>) -> Result<()> {
    if path.is_dir() {
        for entry in entries(path)? {
            collect_sources(root, &entry, sources)?;
        }
    } else if path.is_file() && path.extension().is_some_and(|extension| extension == "rs") {
        let relative = path.strip_prefix(root).unwrap_or(path);
        let name = relative.to_string_lossy().replace('\\', "/");
        sources.push(Source { path: name, text: read(path)? });
    }
    Ok(())
}

/// What a folder holds, sorted, so that findings come in the same order everywhere.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = || fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>();
    let mut entries = read().with_context(|| format!("cannot list {}", folder.display()))?;
    entries.sort();
    Ok(entries)
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}
