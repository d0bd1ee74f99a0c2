//! Cases in Markdown: each section's files are compiled and its comments compared with what was reported.
//!
//! Every heading of level two or more that has a fenced `yaml` or `cedar` block, or any block with `file=…`, is one
//! case. Each annotation must match a finding, each finding an annotation; `UPDATE=1` rewrites the annotations. Blocks
//! with `file=…` under the title belong to every case of the page.

use std::collections::BTreeMap;
use std::path::Path;

use super::annotate::{Annotation, annotations, comment, leader};
use super::markdown::{Fence, fences};
use super::{files_below, read, root, updating};

/// Something that the function under test reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The file, named as in the case.
    pub(crate) file: String,
    /// The line, from 1.
    pub(crate) line: usize,
    /// `error`, `warning` or `note`.
    pub(crate) severity: String,
    pub(crate) code: String,
    pub(crate) message: String,
}

/// The function under test: from paths and texts to findings.
pub(crate) type Compile<'a> = &'a dyn Fn(&[(String, String)]) -> Vec<Finding>;

/// Runs the cases of one Markdown file of the repository.
#[track_caller]
pub(crate) fn check_file(path: impl AsRef<Path>, compile: Compile<'_>) {
    report(&check_path(&root().join(path.as_ref()), compile, updating()));
}

/// Runs the cases of every Markdown file below a folder of the repository, of which there must be one.
#[track_caller]
pub(crate) fn check_folder(path: impl AsRef<Path>, compile: Compile<'_>) {
    let folder = root().join(path.as_ref());
    let files: Vec<String> = files_below(&folder).into_iter().filter(|name| name.ends_with(".md")).collect();
    assert!(!files.is_empty(), "no Markdown file in {}", folder.display());
    let check = |name: &String| check_path(&folder.join(name), compile, updating());
    report(&files.iter().flat_map(check).collect::<Vec<_>>());
}

#[track_caller]
fn report(problems: &[String]) {
    assert!(problems.is_empty(), "{}\nrun UPDATE=1 cargo test to rewrite the comments", problems.join("\n"));
}

fn check_path(path: &Path, compile: Compile<'_>, update: bool) -> Vec<String> {
    let text = read(path);
    let name = path.display().to_string();
    if update {
        let updated = rewrite(&text, compile);
        if updated != text {
            std::fs::write(path, &updated).unwrap_or_else(|error| panic!("cannot write {name}: {error}"));
        }
        return problems(&name, &updated, compile);
    }
    problems(&name, &text, compile)
}

/// Returns what is wrong with the cases of a Markdown text called `name`.
pub(crate) fn problems(name: &str, text: &str, compile: Compile<'_>) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let cases = match cases(&lines) {
        Ok(cases) => cases,
        Err(problem) => return vec![format!("{name}:{problem}")],
    };
    let verdicts = cases.iter().map(|case| case.verdict(compile));
    let told =
        verdicts.flat_map(|verdict| verdict.map_or_else(|one| vec![one], |verdict| verdict.problems()));
    told.map(|problem| format!("{name}:{problem}")).collect()
}

/// Returns the Markdown text with the annotations that its cases' findings ask for; malformed cases stay as they are.
pub(crate) fn rewrite(text: &str, compile: Compile<'_>) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut output: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    let verdicts = cases(&lines).unwrap_or_default();
    let verdicts = verdicts.iter().filter_map(|case| case.verdict(compile).ok());
    let mut files: Vec<FileVerdict<'_>> = verdicts.flat_map(|verdict| verdict.files).collect();
    files.sort_by_key(|file| std::cmp::Reverse(file.block.first));
    for file in files {
        output.splice(file.block.first..file.block.first + file.block.lines.len(), file.rewritten());
    }
    output.join("\n") + if text.ends_with('\n') { "\n" } else { "" }
}

/// Returns the title and the files of every case of a Markdown text.
#[track_caller]
pub(crate) fn files_of(text: &str) -> Vec<(String, Vec<(String, String)>)> {
    let lines: Vec<&str> = text.lines().collect();
    cases(&lines).unwrap().iter().map(|case| (case.title.to_owned(), case.files())).collect()
}

/// One file of a case.
#[derive(Clone, Debug)]
struct Block<'a> {
    path: String,
    /// The line of the Markdown file that the first line is, from 0.
    first: usize,
    lines: Vec<&'a str>,
}

/// One section with files.
#[derive(Debug)]
struct Case<'a> {
    /// The text of its heading.
    title: &'a str,
    blocks: Vec<Block<'a>>,
    /// Files that all cases of the page have, unless they have their own of that name.
    shared: Vec<Block<'a>>,
}

/// A case's files with what was expected and what was found.
struct Verdict<'a> {
    files: Vec<FileVerdict<'a>>,
    /// Findings in files that the case does not have.
    elsewhere: Vec<Finding>,
}

struct FileVerdict<'a> {
    block: Block<'a>,
    met: Vec<Annotation>,
    unmet: Vec<Annotation>,
    unexpected: Vec<Finding>,
}

/// Splits a document into its cases, or says what is wrong with its blocks.
fn cases<'a>(lines: &'a [&'a str]) -> Result<Vec<Case<'a>>, String> {
    let mut cases: Vec<Case<'a>> = Vec::new();
    let (mut section, mut shared) = (None, Vec::new());
    for fence in fences(lines) {
        let Some(block) = block(&fence, lines)? else { continue };
        if fence.level == 1 {
            shared.push(block);
            continue;
        }
        if section != Some(fence.heading) {
            let title = lines[fence.heading].trim_start_matches('#').trim();
            cases.push(Case { title, blocks: Vec::new(), shared: shared.clone() });
            section = Some(fence.heading);
        }
        let blocks = &mut cases.last_mut().unwrap().blocks;
        if blocks.iter().any(|other| other.path == block.path) {
            return Err(format!(
                "{}: a second `{}`: name it with `file=`, or give it a heading",
                fence.first, block.path
            ));
        }
        blocks.push(block);
    }
    if cases.is_empty() { Err("1: no section has a file block".to_owned()) } else { Ok(cases) }
}

fn block<'a>(fence: &Fence, lines: &'a [&'a str]) -> Result<Option<Block<'a>>, String> {
    let path = match (fence.file(), fence.language()) {
        (Some(path), _) => path,
        (None, "yaml") => "case.yaml",
        (None, "cedar") => "case.cedar",
        (None, _) => return Ok(None),
    };
    if fence.level < 2 && (fence.level == 0 || fence.file().is_none()) {
        return Err(format!("{}: put `{path}` under a heading of level two or more", fence.first));
    }
    Ok(Some(Block { path: path.to_owned(), first: fence.first, lines: fence.content(lines).to_vec() }))
}

impl<'a> Case<'a> {
    fn verdict(&self, compile: Compile<'_>) -> Result<Verdict<'a>, String> {
        let mut found: BTreeMap<String, Vec<Finding>> = BTreeMap::new();
        for finding in compile(&self.files()) {
            found.entry(finding.file.clone()).or_default().push(finding);
        }
        let mut files = Vec::new();
        for block in &self.blocks {
            files.push(block.verdict(found.remove(&block.path).unwrap_or_default())?);
        }
        Ok(Verdict { files, elsewhere: found.into_values().flatten().collect() })
    }

    fn files(&self) -> Vec<(String, String)> {
        let text = |block: &Block<'_>| block.lines.iter().flat_map(|line| [*line, "\n"]).collect();
        let own = |shared: &&Block<'_>| self.blocks.iter().any(|block| block.path == shared.path);
        let blocks = self.shared.iter().filter(|block| !own(block)).chain(&self.blocks);
        blocks.map(|block| (block.path.clone(), text(block))).collect()
    }
}

impl<'a> Block<'a> {
    /// Pairs annotations with findings, the longest texts first, so that a vague one does not take a precise one's.
    fn verdict(&self, mut unexpected: Vec<Finding>) -> Result<FileVerdict<'a>, String> {
        let mut annotations = annotations(&self.lines, leader(&self.path))
            .map_err(|problem| format!("{}: in `{}`, {problem}", self.first, self.path))?;
        annotations.sort_by_key(|one| std::cmp::Reverse(one.text.len()));
        let (mut met, mut unmet) = (Vec::new(), Vec::new());
        for one in annotations {
            let matches = |finding: &Finding| self.line_of(finding) == one.target && one.expects(finding);
            if let Some(index) = unexpected.iter().position(matches) {
                unexpected.remove(index);
                met.push(one);
            } else {
                unmet.push(one);
            }
        }
        Ok(FileVerdict { block: self.clone(), met, unmet, unexpected })
    }

    /// Returns the line of a finding from 0; one after the end is on the last line.
    fn line_of(&self, finding: &Finding) -> usize {
        finding.line.saturating_sub(1).min(self.lines.len().saturating_sub(1))
    }
}

impl Verdict<'_> {
    fn problems(&self) -> Vec<String> {
        let first = self.files.first().map_or(1, |file| file.block.first);
        let elsewhere = self.elsewhere.iter().map(|finding| {
            format!(
                "{first}: reported in `{}`, which the case does not have: {}",
                finding.file,
                comment("", finding)
            )
        });
        self.files.iter().flat_map(FileVerdict::problems).chain(elsewhere).collect()
    }
}

impl FileVerdict<'_> {
    fn problems(&self) -> Vec<String> {
        let block = &self.block;
        let unmet = self.unmet.iter().map(|one| {
            let line = block.first + one.at + 1;
            format!("{line}: expected but not reported: {}[{}]: {}", one.severity, one.code, one.text)
        });
        let unexpected = self.unexpected.iter().map(|finding| {
            let line = block.first + block.line_of(finding) + 1;
            format!("{line}: reported but not expected:{}", comment("", finding))
        });
        unmet.chain(unexpected).collect()
    }

    /// Returns the block's lines without the annotations that nothing met, and with one for each unexpected finding.
    fn rewritten(&self) -> Vec<String> {
        let mut output = Vec::new();
        for (at, line) in self.block.lines.iter().enumerate() {
            let stale = self.unmet.iter().find(|one| one.at == at);
            if stale.is_some_and(Annotation::is_alone) && !self.is_reported(at) {
                continue;
            }
            let line = stale.map_or(*line, |one| &line[..one.column]);
            output.extend(self.annotated(at, line));
        }
        output
    }

    fn is_reported(&self, at: usize) -> bool {
        self.unexpected.iter().any(|finding| self.block.line_of(finding) == at)
    }

    /// Returns a line with its new comments: at its end when there is one and room for it, above it otherwise.
    fn annotated(&self, at: usize, line: &str) -> Vec<String> {
        let leader = leader(&self.block.path);
        let new = self.unexpected.iter().filter(|finding| self.block.line_of(finding) == at);
        let mut comments: Vec<String> = new.map(|finding| comment(leader, finding)).collect();
        let is_free = !line.is_empty() && !self.met.iter().any(|one| one.at == at);
        let fits = |text: &String| line.chars().count() + text.chars().count() < 120;
        if let ([only], true) = (comments.as_slice(), is_free)
            && fits(only)
        {
            return vec![format!("{line}  {only}")];
        }
        let indent = &line[..line.len() - line.trim_start().len()];
        comments.iter_mut().for_each(|text| text.insert_str(0, indent));
        comments.push(line.to_owned());
        comments
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reports an error `BAD` for each line of a file that holds the word `bad`, and a warning `ODD` for `odd`.
    fn compile(files: &[(String, String)]) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (file, text) in files {
            for (index, line) in text.lines().enumerate() {
                let (content, line) = (line.split(" #").next().unwrap(), index + 1);
                for (word, severity) in [("bad", "error"), ("odd", "warning")] {
                    let message = format!("`{word}` is in {file}");
                    let (severity, code) = (severity.to_owned(), word.to_uppercase());
                    let finding = Finding { file: file.clone(), line, severity, code, message };
                    findings.extend(content.contains(word).then_some(finding));
                }
            }
        }
        findings
    }

    fn told(text: &str) -> Vec<String> {
        problems("t.md", text, &compile)
    }

    fn case(yaml: &str) -> String {
        format!("# page\n\n## case\n\n```yaml\n{yaml}```\n")
    }

    #[test]
    fn comments_that_agree_pass() {
        let text = case("a: bad  # error[BAD]: `bad` is\n  # warning[ODD]: `odd`\n  b: odd\nc: 1\n");
        assert_eq!(told(&text), [""; 0]);
        assert_eq!(rewrite(&text, &compile), text);
    }

    #[test]
    fn a_missing_comment_fails() {
        assert_eq!(
            told(&case("a: bad\n")),
            ["t.md:6: reported but not expected: error[BAD]: `bad` is in case.yaml"]
        );
    }

    #[test]
    fn a_missing_finding_fails() {
        let expected = ["t.md:6: expected but not reported: error[BAD]: `bad`"];
        assert_eq!(told(&case("a: 1 # error[BAD]: `bad`\n")), expected);
    }

    #[test]
    fn a_wrong_line_severity_code_or_text_fails_both_ways() {
        for wrong in [
            "b: 1 # error[BAD]: `bad`\na: bad\n",
            "a: bad # note[BAD]: `bad`\n",
            "a: bad # error[ODD]: `bad`\n",
        ] {
            assert_eq!(told(&case(wrong)).len(), 2, "{wrong}");
        }
        assert_eq!(told(&case("a: bad # error[BAD]: other\n")).len(), 2);
    }

    #[test]
    fn a_finding_in_a_file_of_no_case_fails() {
        let elsewhere = |files: &[(String, String)]| {
            let mut findings = compile(files);
            findings.iter_mut().for_each(|finding| "other.yaml".clone_into(&mut finding.file));
            findings
        };
        let told = problems("t.md", &case("a: bad\n"), &elsewhere);
        assert!(told[0].contains("`other.yaml`, which the case does not have"), "{told:?}");
    }

    #[test]
    fn each_section_is_a_case_of_named_files() {
        let text = "## one\n```yaml file=a.yaml\nbad # error[BAD]: is in a.yaml\n```\n```cedar file=p.cedar\nodd \
                    // warning[ODD]: is in p.cedar\n```\n### two\n```yaml file=a.yaml\nfine\n```\n";
        let files = std::cell::RefCell::new(Vec::new());
        let spy = |given: &[(String, String)]| {
            files.borrow_mut().push(given.iter().map(|(path, _)| path.clone()).collect::<Vec<_>>());
            compile(given)
        };
        assert_eq!(problems("t.md", text, &spy), [""; 0]);
        assert_eq!(files.into_inner(), [vec!["a.yaml", "p.cedar"], vec!["a.yaml"]]);
    }

    #[test]
    fn sections_with_one_heading_text_are_two_cases() {
        let text = "## one\n```yaml\nfine\n```\n## one\n```yaml\nfine\n```\n";
        assert_eq!(told(text), [""; 0]);
    }

    #[test]
    fn files_under_the_title_belong_to_every_case() {
        let text = "# page\n```yaml file=all.yaml\nfine\n```\n## one\n```yaml\nbad # error[BAD]: in case.yaml\n```\n\
                    ## two\n```yaml file=all.yaml\nown\n```\n";
        assert_eq!(told(text), [""; 0]);
        assert_eq!(rewrite(text, &compile), text);
        let files = files_of(text);
        assert_eq!(files[0].0, "one");
        assert_eq!(
            files[0].1.iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>(),
            ["all.yaml", "case.yaml"]
        );
        assert_eq!(files[1].1, [("all.yaml".to_owned(), "own\n".to_owned())]);
    }

    #[test]
    fn malformed_documents_are_refused() {
        for text in [
            "# t\n```yaml\na\n```\n",
            "## t\n```yaml\na\n```\n```yaml\nb\n```\n",
            "# t\n",
            "## t\n```yaml\na # error[x]\n```\n",
        ] {
            assert_eq!(told(text).len(), 1, "{text}");
        }
    }

    #[test]
    fn update_adds_and_removes_comments() {
        let text = case(
            "a: bad\n# error[BAD]: gone\nb: 1  # error[ODD]: gone\n  c: bad odd\nd: bad # error[BAD]: is\n",
        );
        let expected = case(
            "a: bad  # error[BAD]: `bad` is in case.yaml\nb: 1\n  # error[BAD]: `bad` is in case.yaml\n  \
             # warning[ODD]: `odd` is in case.yaml\n  c: bad odd\nd: bad # error[BAD]: is\n",
        );
        let updated = rewrite(&text, &compile);
        assert_eq!(updated, expected);
        assert_eq!(told(&updated), [""; 0]);
    }

    #[test]
    fn update_writes_the_file_and_folders_are_searched() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deep/case.md");
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, case("a: bad\n")).unwrap();
        assert_eq!(check_path(&file, &compile, true), [""; 0]);
        check_file(&file, &compile);
        check_folder(folder.path(), &compile);
    }
}
