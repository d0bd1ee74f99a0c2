//! The account that an environment lives in, and what things are called there.

use aipolicy_compiler::model::Resource;
use aipolicy_compiler::model::environment::EnvironmentSpec;
use aipolicy_compiler::resolve::Graph;
use aipolicy_iam::{Partition, limits};

use crate::input::Input;
use crate::origin::Origin;

/// An account of AWS, and the names of what an environment has in it.
pub(crate) struct Account<'a> {
    pub(crate) input: Input<'a>,
    pub(crate) environment: &'a Resource<EnvironmentSpec>,
    pub(crate) partition: Partition,
}

impl<'a> Account<'a> {
    pub(crate) fn of(input: Input<'a>) -> Option<Self> {
        let environment = input.grants.graph().resource(input.grants.environment())?;
        let word = environment.spec.aws.partition.as_ref().map_or("aws", |partition| partition.value.word());
        let partition = Partition::ALL.into_iter().find(|known| known.as_str() == word)?;
        Some(Self { input, environment, partition })
    }

    pub(crate) fn graph(&self) -> &'a Graph {
        self.input.grants.graph()
    }

    pub(crate) fn id(&self) -> &'a str {
        self.environment.spec.aws.account_id.value.as_str()
    }

    pub(crate) fn default(&self, name: &str) -> Origin {
        Origin::default(self.input.sources, name)
    }

    /// The path of roles and policies that are ours in an environment: their ownership mark.
    pub(crate) fn path(&self) -> String {
        format!("/aipolicy/{}/{}/", self.input.metadata.name.value, self.environment.name())
    }

    /// The tags that mark an object as ours.
    pub(crate) fn marks(&self) -> [(&'static str, &'a str); 2] {
        let workspace = self.input.metadata.name.value.as_str();
        [("aipolicy:environment", self.environment.name().as_str()), ("aipolicy:workspace", workspace)]
    }

    /// A name within a limit, from the prefix of the workspace, the environment and further words.
    pub(crate) fn name(&self, words: &[&str], limit: usize) -> String {
        let naming = self.input.workspace.naming.as_ref();
        let prefix =
            naming.map_or(self.input.metadata.name.value.as_str(), |naming| naming.prefix.value.as_str());
        let mut parts = vec![prefix, self.environment.name().as_str()];
        parts.extend(words);
        aipolicy_iam::bounded_name(&parts, limit)
    }

    /// The name of the role of a principal, by the words that stand for it.
    pub(crate) fn role(&self, words: &[&str]) -> String {
        self.name(words, limits::ROLE_NAME)
    }
}
