//! `Guardrail`: content filters, denied topics, personal data and grounding.

use super::macros::{record, words};
use super::value::{Fraction, Name, Text};
use crate::source::Spanned;

words! {
    /// How strongly a filter acts.
    pub enum FilterStrength {
        /// Not at all.
        None = "none",
        /// A little.
        Low = "low",
        /// Some.
        Medium = "medium",
        /// Fully.
        High = "high",
    }
}

record! {
    /// Content filters.
    pub struct Filters {
        /// Sexual content.
        sexual: Option<Spanned<FilterStrength>>,
        /// Violence.
        violence: Option<Spanned<FilterStrength>>,
        /// Hate.
        hate: Option<Spanned<FilterStrength>>,
        /// Insults.
        insults: Option<Spanned<FilterStrength>>,
        /// Misconduct.
        misconduct: Option<Spanned<FilterStrength>>,
        /// Attempts to override instructions.
        prompt_attack: Option<Spanned<FilterStrength>>,
    }
}

words! {
    /// What is done with personal data.
    pub enum PiiAction {
        /// The request is refused.
        Block = "block",
        /// It is replaced.
        Anonymise = "anonymise",
    }
}

record! {
    /// Kinds of personal data, as Bedrock knows them.
    pub struct Pii {
        /// Addresses.
        address: Option<Spanned<PiiAction>>,
        /// Ages.
        age: Option<Spanned<PiiAction>>,
        /// Names.
        name: Option<Spanned<PiiAction>>,
        /// Email addresses.
        email: Option<Spanned<PiiAction>>,
        /// Telephone numbers.
        phone: Option<Spanned<PiiAction>>,
        /// User names.
        username: Option<Spanned<PiiAction>>,
        /// Passwords.
        password: Option<Spanned<PiiAction>>,
        /// Numbers of credit and debit cards.
        credit_debit_card_number: Option<Spanned<PiiAction>>,
        /// Their expiry dates.
        credit_debit_card_expiry: Option<Spanned<PiiAction>>,
        /// Their verification codes.
        credit_debit_card_cvv: Option<Spanned<PiiAction>>,
        /// Bank account numbers.
        international_bank_account_number: Option<Spanned<PiiAction>>,
        /// SWIFT codes.
        swift_code: Option<Spanned<PiiAction>>,
        /// IP addresses.
        ip_address: Option<Spanned<PiiAction>>,
        /// AWS access keys.
        aws_access_key: Option<Spanned<PiiAction>>,
        /// AWS secret keys.
        aws_secret_key: Option<Spanned<PiiAction>>,
    }
}

record! {
    /// A topic that is refused.
    pub struct DeniedTopic {
        /// Its name.
        name: Spanned<Name>,
        /// What belongs to it, in 1 to 200 characters.
        definition: Spanned<Text>,
        /// Examples.
        examples: Vec<Spanned<Text>>,
    }
}

record! {
    /// Least scores for answers that rest on sources.
    pub struct Grounding {
        /// How well the answer follows from the sources.
        grounding: Option<Spanned<Fraction>>,
        /// How well it fits the question.
        relevance: Option<Spanned<Fraction>>,
    }
}

record! {
    /// What content must pass.
    pub struct GuardrailSpec {
        /// Content filters.
        filters: Option<Filters>,
        /// Personal data.
        pii: Option<Pii>,
        /// Topics that are refused.
        denied_topics: Vec<DeniedTopic>,
        /// Words that are refused.
        words: Vec<Spanned<Text>>,
        /// Least scores.
        grounding: Option<Grounding>,
    }
}
