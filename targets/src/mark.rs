//! The mark of ownership: how objects of an environment are known to be ours, whatever state is lost.

/// Whose objects they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark<'a> {
    /// Name of the workspace.
    pub workspace: &'a str,
    /// Name of the environment.
    pub environment: &'a str,
}

impl<'a> Mark<'a> {
    /// The path of roles and policies of IAM, `/aipolicy/WORKSPACE/ENVIRONMENT/`.
    pub fn path(self) -> String {
        format!("/aipolicy/{}/{}/", self.workspace, self.environment)
    }

    /// The tags, by key.
    pub fn tags(self) -> [(&'static str, &'a str); 2] {
        [("aipolicy:environment", self.environment), ("aipolicy:workspace", self.workspace)]
    }
}
