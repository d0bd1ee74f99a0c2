//! Service accounts, and the binding of each to its IAM role.

use aipolicy_compiler::model::cluster::ClusterIdentity;

use super::Writer;
use super::object::{Object, address};
use crate::artifact::{Address, Artifact, Format};
use crate::origin::Origin;
use crate::tree::Tree;

/// Who runs as a service account.
pub(super) struct Holder<'h> {
    /// `workload` or `gateway`: the word in the name of the role.
    pub(super) word: &'static str,
    pub(super) name: &'h str,
    pub(super) namespace: &'h str,
    pub(super) origin: &'h Origin,
}

impl Writer<'_> {
    /// The service account of a workload or gateway, bound to the role that trusts it.
    pub(super) fn account(&mut self, holder: &Holder<'_>, namespace: &Address) -> Vec<Address> {
        let role = self.account.role(&[holder.word, holder.name]);
        let cluster = self.site.cluster;
        let arn = format!(
            "arn:{}:iam::{}:role{}{role}",
            self.account.partition.as_str(),
            self.account.id(),
            self.account.path()
        );
        let arn = Tree::text(arn).from(self.default("origin.name"));
        let object = Object::new(("v1", "ServiceAccount"), holder.name, holder.origin)
            .within(holder.namespace)
            .needs([namespace.clone()]);
        let token = Tree::bool(false).from(self.default("kubernetes.noToken"));
        let object = object.field("automountServiceAccountToken", token);
        let role = Address { target: "iam".into(), kind: "Role".into(), name: role };
        match cluster.spec.identity.value {
            ClusterIdentity::Irsa => {
                let regional = Tree::text("true").from(Origin::written(cluster.spec.identity.span));
                let object = object
                    .annotate("eks.amazonaws.com/role-arn", arn)
                    .annotate("eks.amazonaws.com/sts-regional-endpoints", regional)
                    .needs([role]);
                vec![self.add(object)]
            }
            ClusterIdentity::PodIdentity => {
                let account = self.add(object);
                let bound = self.association(holder, arn).needs([role, account.clone()]);
                let association = bound.document.address.clone();
                self.artifacts.push(bound);
                vec![account, association]
            }
        }
    }

    /// The request of EKS that gives a service account its role. It is an object of EKS, not of the cluster.
    fn association(&self, holder: &Holder<'_>, arn: Tree) -> Artifact {
        let cluster = self.site.cluster;
        let tags = self.account.marks().map(|(key, value)| (key, Tree::text(value)));
        let name = cluster.spec.eks_name.value.as_str();
        let tree = Tree::map([
            ("clusterName", Tree::text(name).from(Origin::written(cluster.spec.eks_name.span))),
            ("namespace", Tree::text(holder.namespace)),
            ("serviceAccount", Tree::text(holder.name)),
            ("roleArn", arn),
            ("tags", Tree::map(tags).from(self.default("iam.tags"))),
        ]);
        let kind = "PodIdentityAssociation";
        let address = address(self.site.name(), kind, (Some(holder.namespace), holder.name));
        Artifact::of(self.account.input.wanted, (address, Format::Json), holder.origin.clone(), || tree)
    }
}
