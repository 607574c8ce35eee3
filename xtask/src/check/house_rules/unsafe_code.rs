//! Unsafe code lives in limpid-kernels alone; every other crate forbids it to itself, where a reader looks first.

use super::{Member, Source};

const EXEMPT: &str = "limpid-kernels";
const ATTRIBUTE: &str = "#![forbid(unsafe_code)]";

/// The roots of libraries and binaries that lack the attribute.
pub(super) fn problems(member: &Member) -> Vec<String> {
    if member.manifest.name == EXEMPT {
        return Vec::new();
    }
    let forbids = |source: &Source| source.text.lines().any(|line| line.trim() == ATTRIBUTE);
    let roots = member.sources.iter().filter(|source| is_crate_root(&source.path));
    roots
        .filter(|source| !forbids(source))
        .map(|source| {
            format!("{}: lacks `{ATTRIBUTE}`; code that needs unsafe belongs in {EXEMPT}", source.path)
        })
        .collect()
}

/// Whether a path is one that cargo takes for a library or a binary.
fn is_crate_root(path: &str) -> bool {
    let is_binary = || path.rsplit_once('/').is_some_and(|(folder, _)| folder.ends_with("/src/bin"));
    path.ends_with("src/lib.rs") || path.ends_with("src/main.rs") || is_binary()
}

#[cfg(test)]
mod tests {
    use super::super::Manifest;
    use super::*;

    fn member(name: &str, path: &str, text: &str) -> Member {
        let manifest = Manifest { name: name.to_owned(), dependencies: Vec::new() };
        Member { manifest, sources: vec![Source { path: path.to_owned(), text: text.to_owned() }] }
    }

    #[test]
    fn a_root_without_the_attribute_is_named() {
        let found = problems(&member("limpid", "crates/limpid/src/lib.rs", "//! #![forbid(unsafe_code)]\n"));
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("crates/limpid/src/lib.rs: "), "{found:?}");
        assert_eq!(problems(&member("x", "crates/x/src/bin/tool.rs", "fn main() {}")).len(), 1);
    }

    #[test]
    fn a_root_with_it_a_module_and_the_kernels_pass() {
        let text = "//! Text.\n\n#![forbid(unsafe_code)]\n\nmod net;\n";
        assert!(problems(&member("limpid", "crates/limpid/src/lib.rs", text)).is_empty());
        assert!(problems(&member("limpid", "crates/limpid/src/net/mod.rs", "")).is_empty());
        assert!(problems(&member("limpid-kernels", "crates/limpid-kernels/src/lib.rs", "")).is_empty());
    }
}
