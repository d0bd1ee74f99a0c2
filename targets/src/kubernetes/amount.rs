//! How much of a node an instance takes, and all instances together.

use aipolicy_compiler::model::workload::Resources;
use aipolicy_compiler::source::Spanned;

use super::Writer;
use crate::origin::Origin;
use crate::tree::Tree;

/// What one instance takes, each with its origin.
pub(super) struct Amounts {
    pub(super) millis: (u64, Origin),
    pub(super) mebibytes: (u64, Origin),
    pub(super) gpus: Option<(u64, Origin)>,
}

/// The label under which nodes offer graphics processors of NVIDIA, and the taint that keeps others off.
pub(super) const GPU: &str = "nvidia.com/gpu";

impl Writer<'_> {
    /// What an instance with these resources takes; what is not written is a named default.
    pub(super) fn amounts(&self, resources: Option<&Resources>) -> Amounts {
        fn written<T: Copy>(found: Option<&Spanned<T>>, read: fn(T) -> u64) -> Option<(u64, Origin)> {
            found.map(|found| (read(found.value), Origin::written(found.span)))
        }
        let cpu = written(resources.and_then(|found| found.cpu.as_ref()), |cpu| cpu.millis);
        let memory = written(resources.and_then(|found| found.memory.as_ref()), |memory| memory.mebibytes);
        let gpus = written(resources.and_then(|found| found.gpu.as_ref()), |count| u64::from(count.0));
        Amounts {
            millis: cpu.unwrap_or_else(|| (250, self.default("kubernetes.cpu"))),
            mebibytes: memory.unwrap_or_else(|| (512, self.default("kubernetes.memory"))),
            gpus: gpus.filter(|(count, _)| *count > 0),
        }
    }
}

impl Amounts {
    /// `resources` of a container. Memory and graphics processors are not shared, so their limit is the request.
    pub(super) fn tree(&self) -> Tree {
        let gpus = self.gpus.as_ref();
        let memory = || mebibytes(self.mebibytes.0).from(self.mebibytes.1.clone());
        let gpu = |(count, origin): &(u64, Origin)| (GPU, Tree::text(count.to_string()).from(origin.clone()));
        let mut requests =
            vec![("cpu", millis(self.millis.0).from(self.millis.1.clone())), ("memory", memory())];
        let mut limits = vec![("memory", memory())];
        requests.extend(gpus.map(gpu));
        limits.extend(gpus.map(gpu));
        Tree::map([("requests", Tree::map(requests)), ("limits", Tree::map(limits))])
    }
}

/// Thousandths of a processor as a quantity.
pub(super) fn millis(amount: u64) -> Tree {
    Tree::text(format!("{amount}m"))
}

/// Mebibytes as a quantity.
pub(super) fn mebibytes(amount: u64) -> Tree {
    Tree::text(format!("{amount}Mi"))
}
