//! The comment on a pull request: what a reviewer reads first, what nobody can smuggle into it, and how long it gets.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::{DAY, aipolicy, copy_of, edit, write};
use crate::harness::markdown::fences;
use crate::harness::program::answer;
use crate::harness::tools::{Client, Tool};
use crate::harness::{files_below, read, root};

const FOLDER: &str = "examples/reviews";
/// What a comment has at most, in bytes.
const LONGEST: usize = 60_000;
/// The marks of headlines, from the most harmless.
const MARKS: &[&str] = &["⚪", "🟢", "🟡", "🟠", "🔴"];

/// A prepared change, and what is expected of its comment.
struct Review {
    name: String,
    /// How the comment begins.
    head: String,
}

/// The sections of the page about the changes.
fn reviews() -> Vec<Review> {
    let page = read(&root().join(FOLDER).join("README.md"));
    let lines: Vec<&str> = page.lines().collect();
    let fences = fences(&lines);
    let heads = fences.iter().filter(|fence| fence.language() == "markdown");
    let review = |fence: &crate::harness::markdown::Fence| {
        let above = lines[..fence.first].iter().rev().find_map(|line| line.strip_prefix("## "));
        Review { name: above.unwrap().to_owned(), head: fence.content(&lines).join("\n") }
    };
    heads.map(review).collect()
}

pub(super) fn git(folder: &Path, arguments: &[&str]) {
    let own = ["-c", "user.name=a", "-c", "user.email=a@acme.example", "-c", "commit.gpgsign=false"];
    let mut git = Command::new("git");
    git.args(own).args(arguments).current_dir(folder).env("GIT_CONFIG_GLOBAL", "/dev/null");
    answer(&mut git, "", "git");
}

/// A repository with an example on `main`, and a branch for a change.
fn repository(example: &str) -> (tempfile::TempDir, PathBuf) {
    let (place, folder) = copy_of(example);
    git(&folder, &["init", "-q", "-b", "main"]);
    git(&folder, &["add", "-A"]);
    git(&folder, &["commit", "-q", "-m", "base"]);
    git(&folder, &["checkout", "-q", "-b", "change"]);
    (place, folder)
}

fn commit(folder: &Path) {
    git(folder, &["add", "-A"]);
    git(folder, &["commit", "-q", "-m", "change"]);
}

fn comment(folder: &Path, exit: i32) -> String {
    let done = aipolicy(folder, &["diff", "main", "change", "--format", "markdown", "--as-of", DAY]);
    done.expect(exit);
    done.out
}

/// What a difference in JSON breaks of its schema.
fn breaks(difference: &Value) -> Vec<String> {
    let schema = serde_json::from_str(&read(&root().join("schemas/formats/diff.schema.json"))).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    validator.iter_errors(difference).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

fn mark(comment: &str) -> usize {
    let line = comment.lines().nth(1).unwrap();
    MARKS.iter().position(|mark| line.starts_with(&format!("### {mark} aipolicy: "))).unwrap()
}

#[test]
fn the_first_lines_of_each_prepared_change_tell_whether_to_worry() {
    let reviews = reviews();
    let told = std::thread::scope(|scope| {
        let halves = reviews.chunks(reviews.len().div_ceil(2));
        let halves: Vec<_> =
            halves.map(|half| scope.spawn(|| half.iter().filter_map(problem).collect::<Vec<_>>())).collect();
        halves.into_iter().flat_map(|half| half.join().unwrap()).collect::<Vec<_>>()
    });
    assert!(told.is_empty(), "{}", told.join("\n"));
}

/// What is wrong about the comment of a change.
fn problem(review: &Review) -> Option<String> {
    let (_place, folder) = repository("acme");
    let patch = root().join(FOLDER).join(format!("{}.patch", review.name));
    git(&folder, &["apply", patch.to_str().unwrap()]);
    commit(&folder);
    let exit = if review.head.contains("### ⚪") { 0 } else { 2 };
    let comment = comment(&folder, exit);
    let many = review.head.lines().count();
    let head: Vec<&str> = comment.lines().take(many).collect();
    (head.join("\n") != review.head)
        .then(|| format!("{}:\n{}\nis not\n{}\n", review.name, head.join("\n"), review.head))
}

#[test]
fn there_are_twelve_changes_each_with_a_page_and_ordered_by_worry() {
    let reviews = reviews();
    let patches = files_below(&root().join(FOLDER))
        .into_iter()
        .filter_map(|file| file.strip_suffix(".patch").map(str::to_owned));
    assert_eq!(
        reviews.iter().map(|review| review.name.clone()).collect::<Vec<_>>(),
        patches.collect::<Vec<_>>()
    );
    assert_eq!(reviews.len(), 12);
    let marks: Vec<usize> = reviews.iter().map(|review| mark(&review.head)).collect();
    assert!(marks.is_sorted(), "{marks:?}");
    for review in &reviews {
        let harmless = review.head.contains("nothing can happen that could not before");
        assert_eq!(harmless, mark(&review.head) <= 1, "{}", review.name);
        assert!(
            review.head.lines().count() <= 10
                && review.head.lines().last().unwrap().starts_with("`main` to `change`: "),
            "{}",
            review.name
        );
    }
}

#[test]
fn what_nobody_can_judge_is_unclear_and_what_cannot_be_read_is_refused() {
    let (_place, folder) = repository("quickstart");
    let prompt = files_below(&folder).into_iter().find(|file| file.starts_with("prompts/")).unwrap();
    write(&folder, &prompt, "Do whatever you are told.\n");
    commit(&folder);
    let told = comment(&folder, 2);
    assert_eq!(MARKS[mark(&told)], "🟡");
    assert!(told.contains(&format!("file `{prompt}` says something else")), "{told}");
    write(&folder, "broken.yaml", "kind: [\n");
    commit(&folder);
    let told = comment(&folder, 1);
    assert_eq!(MARKS[mark(&told)], "🔴");
    assert!(told.contains("`change` cannot be understood") && told.contains("AIP-YML-001"), "{told}");
}

#[test]
fn findings_are_new_fixed_or_still_there() {
    let (_place, folder) = repository("acme");
    let triage = "task: triage }\n  dataClass: confidential\n  criticality: ";
    let [high, normal] = ["high", "normal"].map(|word| format!("{triage}{word}"));
    edit(&folder, "tenants/support/routes.yaml", &high, &normal);
    edit(&folder, "tenants/payments/routes.yaml", "  criticality: normal", "  criticality: high");
    edit(
        &folder,
        "tenants/payments/routes.yaml",
        "  fallback:\n    - { route: payments-chat, on: [throttled, unavailable, timeout] }\n",
        "",
    );
    commit(&folder);
    let done = aipolicy(&folder, &["diff", "main", "change", "--format", "json", "--as-of", DAY]);
    done.expect(2);
    let told: Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(breaks(&told), Vec::<String>::new());
    let of = |part: &str| -> Vec<String> {
        let all = told["findings"][part].as_array().unwrap().iter();
        all.filter(|one| one["code"] == "AIP-RTE-007")
            .map(|one| one["message"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(of("fixed"), ["route `support-triage` is critical and has no fallback"]);
    assert_eq!(of("new"), ["route `payments-extract` is critical and has no fallback"]);
    assert!(of("still").is_empty());
    let text = aipolicy(&folder, &["diff", "main", "change", "--format", "markdown", "--as-of", DAY]).out;
    let order = [
        "#### Effects in",
        "#### Declared differently",
        "#### New findings",
        "#### Fixed findings",
        "findings still there",
        "<details><summary>update",
    ];
    let places: Vec<_> =
        order.iter().map(|part| text.find(part).unwrap_or_else(|| panic!("{part} in {text}"))).collect();
    assert!(places.is_sorted(), "{places:?}");
}

/// Renders Markdown as GitHub does, with its own parser, and tells which tags and links there are and what is said outside
/// of code, where GitHub looks for mentions and references.
const RENDER: &str = "
import json, sys, html.parser, cmarkgfm
from cmarkgfm.cmark import Options
class Reader(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.open, self.said = [], [], []
    def handle_starttag(self, tag, attributes):
        self.tags.append([tag, [name for name, _ in attributes]])
        if tag not in ('br', 'hr', 'img', 'input'): self.open.append(tag)
    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag: pass
    def handle_data(self, data):
        if not {'code', 'pre'} & set(self.open): self.said.append(data)
reader = Reader()
reader.feed(cmarkgfm.github_flavored_markdown_to_html(sys.stdin.read(), options=Options.CMARK_OPT_UNSAFE))
print(json.dumps({'tags': reader.tags, 'said': ' '.join(reader.said), 'open': reader.open}))
";

static CMARK: Tool =
    Tool { name: "cmarkgfm", client: Client::Pip, packages: &["cmarkgfm==2025.10.22"], options: &[] };

fn rendered(text: &str) -> Value {
    let mut python = Command::new(CMARK.folder().join("bin/python"));
    serde_json::from_str(&answer(python.args(["-c", RENDER]), text, "Python with `cmarkgfm`")).unwrap()
}

/// What is in a comment that only its writer may put there.
fn smuggled(text: &str) -> Vec<String> {
    let page = rendered(text);
    let known = ["h3", "h4", "p", "ul", "li", "strong", "code", "pre", "details", "summary"];
    let tags = page["tags"].as_array().unwrap().iter().filter(|tag| {
        let plain = tag[1].as_array().unwrap().iter().all(|name| name == "lang");
        !known.contains(&tag[0].as_str().unwrap()) || !plain
    });
    let said = page["said"].as_str().unwrap();
    let marks = ["@", "#", "!", "~", "://", "www.", "GH-", "<", "[", "|"];
    let marks = marks.iter().filter(|mark| said.contains(**mark)).map(|mark| format!("`{mark}` in {said}"));
    let open = page["open"].as_array().unwrap().iter().map(|tag| format!("open: {tag}"));
    tags.map(|tag| tag.to_string()).chain(marks).chain(open).collect()
}

#[test]
fn the_renderer_sees_what_is_smuggled() {
    assert_eq!(smuggled("### fine `@x` **b**\n\n- `<b>`\n"), Vec::<String>::new());
    for text in [
        "@team",
        "see #12",
        "<img src=x onerror=y>",
        "[a](https://b.example)",
        "https://b.example",
        "a | b\n--|--\n1 | 2",
        "</details><script>x</script>",
        "![x](y)",
    ] {
        assert!(!smuggled(text).is_empty(), "{text}");
    }
}

#[test]
fn hostile_texts_are_never_syntax() {
    let hostile = "``` </code></summary></details> @team [a](https://b.example) <img src=x> ![x](y) www.b.example #12 GH-12 `x` ~~~";
    let (_place, folder) = repository("acme");
    let quoted = serde_json::to_string(hostile).unwrap();
    let agents = "tenants/payments/agents.yaml";
    edit(
        &folder,
        agents,
        "description: Refunds a payment in full or in part.",
        &format!("description: {quoted}"),
    );
    edit(&folder, agents, "currency: { oneOf: [EUR] }", &format!("currency: {{ oneOf: [EUR, {quoted}] }}"));
    edit(
        &folder,
        "org/waivers.yaml",
        "reason: the second",
        &format!("ticket2: {quoted}\n  reason: the second"),
    );
    let prompt = "prompts/invoice-bot.md";
    write(&folder, prompt, format!("{hostile}\n```\n</details>\n\n@team\n\n# heading\n~~~\n````\n{hostile}"));
    write(
        &folder,
        "policies/h.cedar",
        format!(
            "@id({quoted})\n@title({quoted})\n@help({quoted})\nforbid (principal, action == Action::\"callTool\", resource) when {{ context.gate == \"verify\" }};\n"
        ),
    );
    write(&folder, "a `@team` <b>[x](y) #12.yaml", format!("{quoted}: 1\n---\n{quoted}: [\n"));
    commit(&folder);
    // First what cannot be read, then what can.
    let told = comment(&folder, 1);
    assert_eq!(smuggled(&told), Vec::<String>::new(), "{told}");
    assert!(told.contains("@team"), "{told}");
    std::fs::remove_file(folder.join("a `@team` <b>[x](y) #12.yaml")).unwrap();
    git(&folder, &["checkout", "main", "--", "org/waivers.yaml"]);
    commit(&folder);
    let branch = "a`@team`<b>";
    git(&folder, &["branch", branch]);
    let done = aipolicy(&folder, &["diff", "main", branch, "--format", "markdown", "--as-of", DAY]);
    assert!([1, 2].contains(&done.exit), "{}", done.err);
    assert_eq!(smuggled(&done.out), Vec::<String>::new(), "{}", done.out);
    assert!(done.out.contains("@team") && done.out.lines().count() > 20, "{}", done.out);
    assert_eq!(done.out.matches("<!--").count(), 1);
}

#[test]
fn a_long_comment_leaves_out_whole_sections_and_says_so() {
    let (_place, folder) = repository("acme");
    edit(&folder, "aipolicy.yaml", "prefix: acme", "prefix: acmx");
    commit(&folder);
    let told = comment(&folder, 2);
    assert!(told.len() <= LONGEST && told.len() > LONGEST / 2, "{}", told.len());
    let last = told.lines().last().unwrap();
    assert!(
        last.starts_with("Left out, since a comment is not longer than this: ")
            && last.contains(" documents. `aipolicy diff main change -C .` shows all."),
        "{last}"
    );
    assert_eq!(smuggled(&told), Vec::<String>::new());
    assert_eq!(told.matches("<details>").count(), told.matches("</details>").count());
    assert_eq!(told, comment(&folder, 2), "the same difference makes the same bytes");
    let said: Value = serde_json::from_str(
        &aipolicy(&folder, &["diff", "main", "change", "--format", "json", "--as-of", DAY]).out,
    )
    .unwrap();
    assert_eq!(breaks(&said), Vec::<String>::new());
    let mut wrong = said.clone();
    wrong["environments"][0]["extra"] = Value::from(1);
    assert!(!breaks(&wrong).is_empty());
    let documents: usize = said["environments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["documents"].as_array().unwrap().len())
        .sum();
    let shown = told.matches("<details><summary>").count() - 1;
    let left: usize = last.split(" documents.").next().unwrap().rsplit(' ').next().unwrap().parse().unwrap();
    assert_eq!(shown + left, documents);
}

#[test]
fn a_comment_is_written_beside_other_formats() {
    let (_place, folder) = repository("quickstart");
    edit(&folder, "agent.yaml", "access: read", "access: write\n      gate: confirm");
    commit(&folder);
    let done = aipolicy(
        &folder,
        &["diff", "main", "change", "--as-of", DAY, "--output", "markdown=c.md", "--output", "json=c.json"],
    );
    done.expect(2);
    assert_eq!(std::fs::read_to_string(folder.join("c.md")).unwrap(), comment(&folder, 2));
    let json: Value = serde_json::from_str(&std::fs::read_to_string(folder.join("c.json")).unwrap()).unwrap();
    assert_eq!((json["format"].as_str(), json["level"].as_str()), (Some("aipolicy.diff/1"), Some("refused")));
}
