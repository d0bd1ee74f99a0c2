//! How a command waits for a world, and what ends its waiting.

use std::sync::OnceLock;

use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::error::CliError;

/// Runs what waits for a world. One thread is enough: the world is what is slow. It is the same for the whole run, since
/// connections to a service belong to it.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> Result<T, CliError> {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    let runtime = match RUNTIME.get() {
        Some(runtime) => runtime,
        None => {
            let made = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let made = made.map_err(|error| CliError::tool(format!("cannot wait for the world: {error}")))?;
            RUNTIME.get_or_init(|| made)
        }
    };
    Ok(runtime.block_on(future))
}

/// What becomes `true` when somebody asks the process to end, with Ctrl-C or SIGTERM.
pub(crate) struct Interrupts {
    /// Asked once: what is in flight is finished, and nothing more is begun.
    pub(crate) once: watch::Receiver<bool>,
    /// Asked twice: nothing is waited for.
    pub(crate) twice: watch::Receiver<bool>,
}

/// Listens from now on. Called where something runs in [`block_on`].
pub(crate) fn interrupts() -> Result<Interrupts, CliError> {
    let listen = |kind| {
        let listening = signal(kind);
        listening.map_err(|error| CliError::tool(format!("signals cannot be listened to: {error}")))
    };
    let (mut pressed, mut told) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    let ((first, once), (second, twice)) = (watch::channel(false), watch::channel(false));
    tokio::spawn(async move {
        for asked in [first, second] {
            tokio::select! {
                _ = pressed.recv() => {}
                _ = told.recv() => {}
            }
            let _nobody_waits = asked.send(true);
        }
    });
    Ok(Interrupts { once, twice })
}
