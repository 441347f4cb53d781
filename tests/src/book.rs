//! The project's documents as tests see them: files, fenced blocks, links, and names of files in the tree.

use std::fs;
use std::path::{Path, PathBuf};

use xtask::workspace;

/// A fenced block: ```` ```language argument ````.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Where it begins, for messages: `docs/testing.md:12`.
    pub place: String,
    pub language: String,
    /// What stands behind the language; a path in the guides.
    pub argument: String,
    pub lines: Vec<String>,
}

/// A document with its path from the root.
pub struct Document {
    pub path: String,
    pub text: String,
}

/// Every document that people read, in the order of their paths.
pub fn documents() -> Vec<Document> {
    let root = workspace::root();
    let mut paths: Vec<PathBuf> = ["README.md", "CONTRIBUTING.md"].map(PathBuf::from).into();
    let folder = fs::read_dir(root.join("docs")).unwrap();
    paths.extend(folder.map(|entry| Path::new("docs").join(entry.unwrap().file_name())));
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    paths.sort();
    paths.iter().map(|path| document(path)).collect()
}

fn document(path: &Path) -> Document {
    Document {
        path: path.display().to_string(),
        text: fs::read_to_string(workspace::root().join(path)).unwrap(),
    }
}

impl Document {
    pub fn read(path: &str) -> Document {
        document(Path::new(path))
    }

    pub fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut open: Option<Block> = None;
        for (index, line) in self.text.lines().enumerate() {
            let Some(mut block) = open.take() else {
                open = line.strip_prefix("```").map(|info| self.begin(index, info));
                continue;
            };
            if line == "```" {
                blocks.push(block);
            } else {
                block.lines.push(line.to_string());
                open = Some(block);
            }
        }
        assert!(open.is_none(), "{}: a fenced block has no end", self.path);
        blocks
    }

    fn begin(&self, index: usize, info: &str) -> Block {
        let (language, argument) = info.split_once(' ').unwrap_or((info, ""));
        Block {
            place: format!("{}:{}", self.path, index + 1),
            language: language.to_string(),
            argument: argument.to_string(),
            lines: Vec::new(),
        }
    }

    /// Every line outside of fenced blocks, with its number.
    pub fn prose(&self) -> Vec<(usize, &str)> {
        let mut is_inside = false;
        let mut prose = Vec::new();
        for (index, line) in self.text.lines().enumerate() {
            let is_fence = line.starts_with("```");
            is_inside ^= is_fence;
            if !is_inside && !is_fence {
                prose.push((index + 1, line));
            }
        }
        prose
    }
}

impl Block {
    /// Its lines as the text of a file.
    pub fn content(&self) -> String {
        let mut content = self.lines.join("\n");
        content.push('\n');
        content
    }
}

/// The targets of `[text](target)` in a line.
pub fn links(line: &str) -> Vec<&str> {
    let ends = line.split("](").skip(1);
    ends.filter_map(|rest| rest.split_once(')').map(|(target, _)| target))
        .collect()
}

/// What stands in `backticks` in a line.
pub fn quoted(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(text: &str) -> Document {
        Document {
            path: "x.md".to_string(),
            text: text.to_string(),
        }
    }

    #[test]
    fn a_block_has_a_language_an_argument_and_its_lines() {
        let document = example("a\n```rust src/a.rs\nfn a() {}\n\n```\nb\n```\nc\n```\n");
        let blocks = document.blocks();
        assert_eq!(blocks.len(), 2);
        assert_eq!(
            (blocks[0].place.as_str(), blocks[0].argument.as_str()),
            ("x.md:2", "src/a.rs")
        );
        assert_eq!(blocks[0].content(), "fn a() {}\n\n");
        assert_eq!(blocks[1].language, "");
        assert_eq!(document.prose(), [(1, "a"), (6, "b")]);
    }

    #[test]
    fn links_and_quotes_are_found_in_a_line() {
        let line = "see [a](a.md#b) and [b](https://b), or `c d` and `e`";
        assert_eq!(links(line), ["a.md#b", "https://b"]);
        assert_eq!(quoted(line).collect::<Vec<_>>(), ["c d", "e"]);
    }
}
