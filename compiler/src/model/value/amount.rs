//! Money, prices and the limits of budgets. There is no arithmetic across currencies.

use schemars::{Schema, json_schema};

use super::{Fault, Form, Scalar, Tokens, currency, digits, is_padded, pattern, scalars, scaled};

scalars!(Money, Price, BudgetLimit);

/// An amount in one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Money {
    /// ISO 4217 code.
    pub currency: &'static str,
    /// Millionths of the currency's unit.
    pub micros: u64,
}

fn amount_pattern() -> String {
    format!("({}) (0|[1-9][0-9]{{0,11}})(\\.[0-9]{{1,6}})?", currency::CODES.join("|"))
}

impl std::fmt::Display for Money {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (whole, rest) = (self.micros / 1_000_000, self.micros % 1_000_000);
        let fraction = format!("{rest:06}");
        let fraction = fraction.trim_end_matches('0');
        match fraction.len() {
            0 => write!(formatter, "{} {whole}", self.currency),
            _ => write!(formatter, "{} {whole}.{fraction:0<2}", self.currency),
        }
    }
}

impl Money {
    fn read(text: &str) -> Result<Self, Fault> {
        let Some((code, amount)) = text.split_once(' ') else {
            let number = digits(text).is_some_and(|(_, _, rest)| rest.is_empty());
            let bad = Fault::bad(format!("`{text}` is not an amount of money"));
            return Err(if number {
                Fault::unit(text, "currencies, written first: `USD 5000`")
            } else {
                bad
            });
        };
        let currency = currency::CODES.binary_search(&code).ok().and_then(|at| currency::CODES.get(at));
        let currency =
            currency.ok_or_else(|| Fault::bad(format!("`{code}` is not a currency of ISO 4217")))?;
        let bad = || Fault::bad(format!("`{amount}` is not an amount")).help("write it as `5000` or `12.50`");
        let (whole, fraction, "") = digits(amount).ok_or_else(bad)? else { return Err(bad()) };
        let micros = scaled(whole, fraction, 6).filter(|_| !is_padded(amount) && whole < 1_000_000_000_000);
        Ok(Self { currency, micros: micros.ok_or_else(bad)? })
    }
}

impl Scalar for Money {
    const WANTED: &'static str = "an amount of money such as `USD 5000` or `EUR 12.50`";
    const FORM: Form = Form::Either;

    fn parse(text: &str) -> Result<Self, Fault> {
        Self::read(text)
    }

    fn schema() -> Schema {
        pattern::<Self>(&format!("^{}$", amount_pattern()))
    }
}

/// What a price is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PriceUnit {
    /// Tokens.
    Tokens,
    /// Requests.
    Requests,
    /// Images.
    Images,
}

/// Money for a number of units. The unit is part of the type, so that a price per token is never one per million.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    /// The amount.
    pub money: Money,
    /// For how many units: 1, 1,000 or 1,000,000.
    pub per: u64,
    /// Of what.
    pub unit: PriceUnit,
}

impl Price {
    /// A price of the catalog, in the same notation as in resources.
    pub fn of_catalog(text: &str) -> Option<Self> {
        Self::parse(text).ok()
    }

    /// Millionths of the currency's unit for a million of the priced units.
    pub fn micros_per_million(self) -> u64 {
        self.money.micros.saturating_mul(1_000_000 / self.per.max(1))
    }
}

impl Scalar for Price {
    const WANTED: &'static str = "a price such as `USD 3.00 / 1M tokens`";
    const FORM: Form = Form::Either;

    fn parse(text: &str) -> Result<Self, Fault> {
        let units = "`/ 1M tokens`, `/ 1k tokens`, `/ 1 requests` and `/ 1 images`";
        let Some((money, per)) = text.split_once(" / ") else {
            let number = digits(text).is_some_and(|(_, _, rest)| rest.is_empty());
            return Err(if number || Money::read(text).is_ok() {
                Fault::unit(text, units)
            } else {
                Fault::bad(format!("`{text}` is not a price"))
            });
        };
        let money = Money::read(money)?;
        let bad =
            || Fault::bad(format!("`{per}` is not a unit of a price")).help(format!("units are {units}"));
        let (per, unit) = per.split_once(' ').ok_or_else(bad)?;
        let per = match per {
            "1" => 1,
            "1k" => 1_000,
            "1M" => 1_000_000,
            _ => return Err(bad()),
        };
        let unit = match unit {
            "tokens" => PriceUnit::Tokens,
            "requests" => PriceUnit::Requests,
            "images" => PriceUnit::Images,
            _ => return Err(bad()),
        };
        Ok(Self { money, per, unit })
    }

    fn schema() -> Schema {
        pattern::<Self>(&format!("^{} / (1|1k|1M) (tokens|requests|images)$", amount_pattern()))
    }
}

/// What a budget limits: money or tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BudgetLimit {
    /// Money.
    Money(Money),
    /// Tokens.
    Tokens(Tokens),
}

impl Scalar for BudgetLimit {
    const WANTED: &'static str = "a limit such as `USD 5000` or `1.5G tokens`";
    const FORM: Form = Form::Either;

    fn parse(text: &str) -> Result<Self, Fault> {
        match text.strip_suffix(" tokens").and_then(Tokens::read) {
            Some(tokens) => Ok(Self::Tokens(tokens)),
            None => Money::read(text).map(Self::Money),
        }
    }

    fn schema() -> Schema {
        json_schema!({
            "description": super::capital(Self::WANTED),
            "anyOf": [
                { "type": "string", "pattern": format!("^{}$", amount_pattern()) },
                { "type": "string", "pattern": "^([1-9][0-9]{0,11}|[1-9][0-9]{0,8}(\\.[0-9]{1,3})?[kMG]) tokens$" },
            ],
        })
    }
}
