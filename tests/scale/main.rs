//! Measures a compile of a generated workspace beside the floor of the same work. Not a test: run it on a quiet box.
//!
//! ```text
//! cargo run --release -p aipolicy-scale -- 100 1000 10000
//! cargo run --release -p aipolicy-scale -- --json --threads 2 --seed 7 1000
//! cargo run --release -p aipolicy-scale -- --keep /tmp/out 100     # leaves what was written in /tmp/out/100
//! cargo run --release -p aipolicy-scale -- --per-account 50 1000   # tenants that share two accounts; 100 unless given
//! cargo run --release -p aipolicy-scale -- check 100 10000         # `check` before targets are asked, see `check.rs`
//! cargo run --release -p aipolicy-scale -- lint 1000 10000         # `iam lint` of so many roles, see `lint.rs`
//! cargo run --release -p aipolicy-scale -- compare 200             # `iam compare` of so many statements, see `compare.rs`
//! cargo run --release -p aipolicy-scale -- evaluate 10             # decisions of the roles of so many tenants, see `evaluate.rs`
//! ```
//!
//! Each size runs in a process of its own, three times unless `--runs` says otherwise, and the run that needed the least
//! CPU for compile and floor together is shown: what disturbs a run only adds. CPU is that of the process; `--threads` is 1 unless given, since threads
//! that wait for work burn CPU too. The seed is 1 unless given. See `workspace/` for what is generated and `floor.rs`
//! for the floor. Files are written into the folder for temporary files, about 600 KB for each tenant.

mod check;
mod clock;
mod compare;
mod evaluate;
mod floor;
mod generate;
mod lint;
mod measure;
mod output;
mod random;
mod table;

use std::error::Error;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

use generate::Size;
use measure::Measured;
use table::Conditions;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Cedar and the reader of YAML recurse as deep as their input, as in `cli/main.rs`.
const STACK: usize = 64 << 20;

struct Arguments {
    sizes: Vec<usize>,
    json: bool,
    threads: usize,
    seed: u64,
    per_account: usize,
    runs: usize,
    keep: Option<PathBuf>,
    /// Set in the process that measures one size and prints it as JSON.
    is_child: bool,
}

impl Arguments {
    fn read(mut words: impl Iterator<Item = String>) -> Result<Self, Box<dyn Error>> {
        let mut read = Self {
            sizes: Vec::new(),
            json: false,
            threads: 1,
            seed: 1,
            per_account: generate::TENANTS_PER_ACCOUNT,
            runs: 3,
            keep: None,
            is_child: false,
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("`{word}` needs a value"));
            match word.as_str() {
                "--json" => read.json = true,
                "--child" => read.is_child = true,
                "--threads" => read.threads = value()?.parse()?,
                "--seed" => read.seed = value()?.parse()?,
                "--per-account" => read.per_account = value()?.parse::<std::num::NonZero<usize>>()?.get(),
                "--runs" => read.runs = value()?.parse()?,
                "--keep" => read.keep = Some(value()?.into()),
                size => {
                    read.sizes.push(size.parse().map_err(|_| format!("`{size}` is no number of tenants"))?);
                }
            }
        }
        if read.sizes.is_empty() {
            read.sizes = vec![100, 1_000, 10_000];
        }
        Ok(read)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1).peekable();
    let of_policies = [
        ("check", check::run as fn(&mut dyn Iterator<Item = String>) -> _),
        ("lint", lint::run),
        ("compare", compare::run),
        ("evaluate", evaluate::run),
    ];
    for (name, run) in of_policies {
        if words.next_if(|word| word == name).is_some() {
            return run(&mut words);
        }
    }
    let arguments = Arguments::read(words)?;
    if let ([tenants], true) = (arguments.sizes.as_slice(), arguments.is_child) {
        return child(*tenants, &arguments);
    }
    let mut measured = Vec::new();
    for tenants in &arguments.sizes {
        let mut best = in_child(*tenants, &arguments)?;
        for _ in 1..arguments.runs {
            let next = in_child(*tenants, &arguments)?;
            if next.least() < best.least() {
                best = next;
            }
        }
        measured.push(best);
    }
    let Arguments { seed, threads, per_account, .. } = arguments;
    let conditions = Conditions { seed, threads, per_account };
    let text = match arguments.json {
        true => serde_json::to_string_pretty(&table::json(&measured, conditions))?,
        false => table::text(&measured, conditions),
    };
    writeln!(std::io::stdout().lock(), "{}", text.trim_end())?;
    Ok(())
}

/// Measures one size in a fresh process, so that the peak of memory is its own.
fn in_child(tenants: usize, arguments: &Arguments) -> Result<Measured, Box<dyn Error>> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args([
        "--child",
        "--threads",
        &arguments.threads.to_string(),
        "--seed",
        &arguments.seed.to_string(),
        "--per-account",
        &arguments.per_account.to_string(),
    ]);
    if let Some(folder) = &arguments.keep {
        command.arg("--keep").arg(folder.join(tenants.to_string()));
    }
    let done = command.arg(tenants.to_string()).output()?;
    if !done.status.success() {
        return Err(String::from_utf8_lossy(&done.stderr).into());
    }
    Ok(serde_json::from_slice(&done.stdout)?)
}

fn child(tenants: usize, arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    rayon::ThreadPoolBuilder::new().num_threads(arguments.threads).stack_size(STACK).build_global()?;
    let (seed, keep) = (arguments.seed, arguments.keep.clone());
    let size = Size { tenants, per_account: arguments.per_account };
    let worker = std::thread::Builder::new().stack_size(STACK).spawn(move || {
        let temporary = tempfile::tempdir().map_err(|error| error.to_string())?;
        let folder = keep.unwrap_or_else(|| temporary.path().join("out"));
        std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        measure::measure(size, seed, &folder).map_err(|error| error.to_string())
    })?;
    let measured = worker.join().map_err(|_| "the measurement panicked")??;
    serde_json::to_writer(std::io::stdout().lock(), &measured)?;
    Ok(())
}
