//! Who is named by the `Principal` of a resource policy.

use crate::document::{PrincipalKind, PrincipalSet, Principals};
use crate::request::Caller;

/// How a `Principal` element names the caller; what an `Allow` of a resource policy is worth depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Naming {
    /// By its account, which leaves it to the policies of that account.
    Account,
    /// By its role, of which it is a session.
    Role,
    /// As itself, or as everyone.
    Itself,
}

/// The caller, as ARNs of policies can name it.
#[derive(Clone, Debug)]
pub(crate) struct Who<'r> {
    caller: Option<&'r Caller>,
    arn: Option<CallerArn<'r>>,
}

/// The parts of the ARN of a caller.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallerArn<'r> {
    partition: &'r str,
    pub(crate) account: &'r str,
    pub(crate) form: Form<'r>,
}

/// What kind of principal an ARN is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form<'r> {
    Root,
    User,
    /// A role, with its path and name.
    Role(&'r str),
    /// A session of the role of this name.
    Session(&'r str),
    FederatedUser,
}

impl<'r> Who<'r> {
    pub(crate) fn new(caller: Option<&'r Caller>) -> Self {
        let arn = caller.filter(|caller| caller.kind == PrincipalKind::Aws);
        Self { caller, arn: arn.and_then(|caller| CallerArn::parse(&caller.name)) }
    }

    pub(crate) fn caller(&self) -> Option<&'r Caller> {
        self.caller
    }

    pub(crate) fn arn(&self) -> Option<&CallerArn<'r>> {
        self.arn.as_ref()
    }

    /// How the element names the caller, if it does. `NotPrincipal` leaves out whoever is listed with its account and, of
    /// a session, its role: of others AWS says that they "might" be denied ("IAM JSON policy elements: NotPrincipal").
    pub(crate) fn named_by(&self, principals: &Principals) -> Option<Naming> {
        match principals {
            Principals::In(set) => self.named_in(set),
            Principals::NotIn(set) => (!self.is_left_out_by(set)).then_some(Naming::Itself),
        }
    }

    fn is_left_out_by(&self, set: &PrincipalSet) -> bool {
        let PrincipalSet::Listed(listed) = set else { return true };
        if listed.get(&PrincipalKind::Aws).is_some_and(|names| names.contains("*")) {
            return true;
        }
        let Some(caller) = self.caller else { return false };
        let Some(names) = listed.get(&caller.kind) else { return false };
        let Some(arn) = &self.arn else { return names.contains(&caller.name) };
        let is_named = |as_what| names.iter().any(|name| arn.named_as(name) == Some(as_what));
        let is_session = matches!(arn.form, Form::Session(_));
        names.contains(&caller.name) && is_named(Naming::Account) && (!is_session || is_named(Naming::Role))
    }

    fn named_in(&self, set: &PrincipalSet) -> Option<Naming> {
        let PrincipalSet::Listed(listed) = set else { return Some(Naming::Itself) };
        if listed.get(&PrincipalKind::Aws).is_some_and(|names| names.contains("*")) {
            return Some(Naming::Itself);
        }
        let caller = self.caller?;
        let names = listed.get(&caller.kind)?;
        if names.contains(&caller.name) {
            let is_role = matches!(self.arn, Some(CallerArn { form: Form::Role(_), .. }));
            return Some(if is_role { Naming::Role } else { Naming::Itself });
        }
        let arn = self.arn.as_ref()?;
        names.iter().filter_map(|name| arn.named_as(name)).max()
    }
}

impl<'r> CallerArn<'r> {
    pub(crate) fn parse(text: &'r str) -> Option<Self> {
        let mut fields = text.splitn(6, ':');
        let (prefix, partition, service) = (fields.next()?, fields.next()?, fields.next()?);
        let (region, account, resource) = (fields.next()?, fields.next()?, fields.next()?);
        if prefix != "arn" || !region.is_empty() || !is_account(account) {
            return None;
        }
        let form = match (service, resource.split_once('/')) {
            ("iam", None) if resource == "root" => Form::Root,
            ("iam", Some(("user", _))) => Form::User,
            ("iam", Some(("role", name))) => Form::Role(name),
            ("sts", Some(("assumed-role", session))) => Form::Session(session.split_once('/')?.0),
            ("sts", Some(("federated-user", _))) => Form::FederatedUser,
            _ => return None,
        };
        Some(Self { partition, account, form })
    }

    /// How a name of `Principal` that is not the ARN itself names it. Names of roles are unique in an account, so the
    /// path of a role, which the ARN of a session does not have, is not compared.
    fn named_as(&self, name: &str) -> Option<Naming> {
        if name == self.account {
            return Some(Naming::Account);
        }
        let named = CallerArn::parse(name)?;
        if named.account != self.account || named.partition != self.partition {
            return None;
        }
        match (named.form, self.form) {
            (Form::Root, _) => Some(Naming::Account),
            (Form::Role(path), Form::Session(role)) => {
                let name = path.rsplit('/').next()?;
                (name == role).then_some(Naming::Role)
            }
            (Form::Role(_) | Form::User | Form::Session(_) | Form::FederatedUser, _) => None,
        }
    }
}

/// Whether this is the id of an account.
pub(crate) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}
