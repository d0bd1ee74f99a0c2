//! The little of Markdown that cases and documents need: headings and fenced blocks, with their lines.

/// A fenced block.
#[derive(Clone, Debug)]
pub(crate) struct Fence {
    /// The line of the heading that the block stands under, from 0, and its level; both 0 when there is none.
    pub(crate) heading: usize,
    pub(crate) level: usize,
    /// What follows the backticks, e.g. `yaml file=resources/a.yaml`.
    pub(crate) info: String,
    /// The first line of the content, from 0.
    pub(crate) first: usize,
    /// The line after the content, from 0: the closing fence.
    pub(crate) end: usize,
}

impl Fence {
    /// Returns the language, the first word of the info string.
    pub(crate) fn language(&self) -> &str {
        self.info.split_whitespace().next().unwrap_or_default()
    }

    /// Returns the path in `file=…`, if there is one.
    pub(crate) fn file(&self) -> Option<&str> {
        self.info.split_whitespace().find_map(|word| word.strip_prefix("file="))
    }

    /// Returns the lines of the content.
    pub(crate) fn content<'a>(&self, lines: &'a [&'a str]) -> &'a [&'a str] {
        &lines[self.first..self.end]
    }
}

/// Returns the fenced blocks of a document in order; an unclosed one ends with the document.
pub(crate) fn fences(lines: &[&str]) -> Vec<Fence> {
    let (mut found, mut heading, mut at) = (Vec::new(), (0, 0), 0);
    while at < lines.len() {
        if let Some(ticks) = opening(lines[at]) {
            let info = lines[at].trim_start()[ticks..].trim().to_owned();
            let end = (at + 1..lines.len()).find(|line| closes(lines[*line], ticks)).unwrap_or(lines.len());
            let (heading, level) = heading;
            found.push(Fence { heading, level, info, first: at + 1, end });
            at = end;
        } else if let Some(level) = level_of(lines[at]) {
            heading = (at, level);
        }
        at += 1;
    }
    found
}

/// Returns the lines that are outside of every fenced block, with their numbers from 0.
pub(crate) fn prose<'a>(lines: &'a [&'a str]) -> impl Iterator<Item = (usize, &'a str)> {
    let fences = fences(lines);
    let inside = move |at: usize| fences.iter().any(|fence| (fence.first - 1..=fence.end).contains(&at));
    lines.iter().copied().enumerate().filter(move |(at, _)| !inside(*at))
}

fn opening(line: &str) -> Option<usize> {
    let ticks = line.trim_start().chars().take_while(|letter| *letter == '`').count();
    let info = &line.trim_start()[ticks..];
    (ticks >= 3 && !info.contains('`')).then_some(ticks)
}

fn closes(line: &str, ticks: usize) -> bool {
    let line = line.trim();
    line.len() >= ticks && line.chars().all(|letter| letter == '`')
}

fn level_of(line: &str) -> Option<usize> {
    let level = line.chars().take_while(|letter| *letter == '#').count();
    ((1..=6).contains(&level) && line[level..].starts_with(' ')).then_some(level)
}

#[test]
fn blocks_know_their_heading_and_lines() {
    let text = "# a\n```yaml file=b.yaml x\n# no heading\n```\n## c\nprose\n````text\n```\n````\n";
    let lines: Vec<&str> = text.lines().collect();
    let found = fences(&lines);
    let seen: Vec<_> = found.iter().map(|fence| (fence.heading, fence.level, fence.language())).collect();
    assert_eq!(seen, [(0, 1, "yaml"), (4, 2, "text")]);
    assert_eq!(found[0].file(), Some("b.yaml"));
    assert_eq!(found[0].content(&lines), ["# no heading"]);
    assert_eq!(found[1].content(&lines), ["```"]);
    assert_eq!(prose(&lines).map(|(at, _)| at).collect::<Vec<_>>(), [0, 4, 5]);
}
