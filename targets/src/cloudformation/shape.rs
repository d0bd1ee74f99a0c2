//! How the members of a request become the properties of a resource.

/// How a value is written in a template.
#[derive(Debug)]
pub(super) enum Shape {
    /// A structure. Its members have the names of the SDK with a capital letter, and values of plain structures, but for
    /// these.
    Members(&'static [Member]),
    /// A map whose keys are data, and whose values are like this.
    Map(&'static Shape),
    /// Kept as it is, keys included.
    Verbatim,
    /// The text of a JSON document.
    Document,
    /// A map of tags, which is a list of `Key` and `Value` here.
    Pairs,
    /// A text that holds a number or the like, which is one here; anything else is kept as it is.
    Typed,
    /// A structure whose members stand beside it here.
    Lifted(&'static Shape),
    /// Something that a template has no place for, and that controls nothing.
    Dropped,
}

/// A member that is not like the others: its name in the request, its name in a template, and its value.
pub(super) type Member = (&'static str, &'static str, &'static Shape);

/// A structure without exceptions.
pub(super) static PLAIN: Shape = Shape::Members(&[]);
/// A map of data.
pub(super) static DATA: Shape = Shape::Map(&PLAIN);
pub(super) static VERBATIM: Shape = Shape::Verbatim;
pub(super) static DOCUMENT: Shape = Shape::Document;
pub(super) static PAIRS: Shape = Shape::Pairs;
pub(super) static DROPPED: Shape = Shape::Dropped;
/// Variables of a function: what is no text is the text of a document.
pub(super) static DOCUMENTS: Shape = Shape::Map(&DOCUMENT);
/// Attributes, which the API takes as texts.
pub(super) static ATTRIBUTES: Shape = Shape::Lifted(&TYPED);
static TYPED: Shape = Shape::Map(&Shape::Typed);
/// The one attribute of a queue that says who may use it.
pub(super) static POLICY: Shape = Shape::Lifted(&POLICY_DOCUMENT);
static POLICY_DOCUMENT: Shape = Shape::Members(&[("Policy", "PolicyDocument", &VERBATIM)]);
/// A schema of inputs, in the words of a gateway.
pub(super) static SCHEMA: Shape =
    Shape::Members(&[("properties", "Properties", &SCHEMAS), ("items", "Items", &SCHEMA)]);
static SCHEMAS: Shape = Shape::Map(&SCHEMA);

impl Shape {
    /// The name of a member in a template, and its shape; nothing for a name that no member of an SDK has.
    pub(super) fn member(&self, name: &str) -> Option<(String, &'static Shape)> {
        let Self::Members(exceptions) = self else { return None };
        if let Some((_, property, shape)) = exceptions.iter().find(|(own, ..)| *own == name) {
            return Some(((*property).to_owned(), shape));
        }
        let mut letters = name.chars();
        let first = letters.next().filter(char::is_ascii_alphabetic)?;
        letters.as_str().chars().all(|letter| letter.is_ascii_alphanumeric()).then(|| {
            let property = format!("{}{}", first.to_ascii_uppercase(), letters.as_str());
            (property, &PLAIN)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_have_capital_letters_unless_a_table_says_otherwise() {
        assert_eq!(PLAIN.member("roleArn").unwrap().0, "RoleArn");
        assert_eq!(PLAIN.member("Path").unwrap().0, "Path");
        for name in ["", "$ref", "aws:SourceArn", "look-up", "Fn::Sub", "1st"] {
            assert!(PLAIN.member(name).is_none(), "{name}");
        }
        static NAMED: Shape = Shape::Members(&[("name", "StateMachineName", &VERBATIM)]);
        let (name, shape) = NAMED.member("name").unwrap();
        assert!(name == "StateMachineName" && matches!(shape, Shape::Verbatim));
    }
}
