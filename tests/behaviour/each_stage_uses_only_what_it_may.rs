//! Who may use whom: reads the sources and fails on an edge between stages that the design's table does not allow.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A stage and the other modules it may use. Everybody may use [`EVERYBODY`].
struct Stage {
    name: &'static str,
    may_use: &'static [&'static str],
    and: &'static [&'static str],
}

/// The bottom of the table.
const EVERYBODY: &[&str] = &["address", "problem"];

const fn stage(name: &'static str, may_use: &'static [&'static str]) -> Stage {
    Stage {
        name,
        may_use,
        and: &[],
    }
}

/// The stages that a job goes through.
const PIPELINE: &[&str] = &[
    "diagnosis",
    "target",
    "image",
    "link",
    "survey",
    "boot",
    "plan",
    "algorithm",
    "verify",
    "reset",
];

/// The design's table, in the order of the pipeline.
const STAGES: &[Stage] = &[
    stage("address", &[]),
    stage("problem", &[]),
    stage("clock", &[]),
    stage("target", &[]),
    stage("image", &[]),
    stage("link", &["target", "clock"]),
    // `boot` owns the type `Present`, which `survey` fills: `boot` itself must not know the board.
    stage(
        "survey",
        &["link", "algorithm", "target", "clock", "boot", "plan"],
    ),
    stage("boot", &["image", "target"]),
    stage("plan", &["boot", "image", "target"]),
    stage("algorithm", &["plan", "link", "target", "clock"]),
    stage("verify", &["plan", "algorithm", "link", "boot"]),
    stage("reset", &["boot", "link", "target", "clock"]),
    // Weighs problems against each other; where they come from is no matter of it.
    stage("diagnosis", &[]),
    stage("report", PIPELINE),
    Stage {
        name: "job",
        may_use: PIPELINE,
        and: &["report", "clock"],
    },
    // Per-unit data: what is patched into the image of one unit.
    stage("unit", &["image", "boot", "target"]),
    stage("records", &["report", "clock"]),
    // Drives many boards; `job` stays the only thing that touches one.
    stage(
        "station",
        &[
            "unit", "records", "job", "report", "link", "target", "image", "boot", "survey",
            "clock",
        ],
    ),
    // Measures whole jobs from outside; no stage knows of it.
    stage(
        "benchmark",
        &["job", "report", "target", "image", "boot", "link"],
    ),
    stage(
        "cli",
        &[
            "job",
            "report",
            "target",
            "link",
            "clock",
            "benchmark",
            "station",
            "records",
        ],
    ),
];

/// Something outside the crate that only some files may use.
struct Outside {
    text: &'static str,
    /// Paths below `src/` that may, as beginnings.
    allowed: &'static [&'static str],
    why: &'static str,
}

const OUTSIDE: &[Outside] = &[
    Outside {
        text: "probe_rs::",
        allowed: &["link/"],
        why: "one stage knows the probe library",
    },
    Outside {
        text: "nusb::",
        allowed: &["link/"],
        why: "one stage knows how probes are connected",
    },
    Outside {
        text: "Instant::now",
        allowed: &["clock.rs"],
        why: "a virtual board is the clock",
    },
    Outside {
        text: "thread::sleep",
        allowed: &["clock.rs"],
        why: "a virtual board is the clock",
    },
];

/// What the pure stages must not touch.
const PURE: &[&str] = &["image", "boot", "plan", "diagnosis", "unit"];
const IMPURE: &[&str] = &[
    "std::fs",
    "std::env",
    "std::thread",
    "std::time::Instant",
    "std::process",
    "println!",
    "print!",
];

/// The source without comments, so that prose may name what it likes.
fn code(source: &str) -> String {
    source
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n")
}

/// The modules named behind `crate::`, in paths and in braces.
fn modules_used(code: &str) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let is_whole_word =
            !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$');
        let behind = &code[at + "crate::".len()..];
        if !is_whole_word {
            continue;
        }
        match behind.strip_prefix('{') {
            None => used.insert(identifier(behind)),
            Some(group) => {
                let mut depth = 0_usize;
                let mut expecting = true;
                for (at, c) in group.char_indices() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => expecting = true,
                        c if expecting && !c.is_whitespace() => {
                            used.insert(identifier(&group[at..]));
                            expecting = false;
                        }
                        _ => {}
                    }
                }
                true
            }
        };
    }
    used
}

fn identifier(text: &str) -> String {
    text.chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

/// What is wrong with one file, named by its path below `src/`.
fn offences(path: &str, source: &str) -> Vec<String> {
    let code = code(source);
    let mut offences = Vec::new();
    let name = path
        .split('/')
        .next()
        .unwrap_or_default()
        .trim_end_matches(".rs");
    let Some(stage) = STAGES.iter().find(|stage| stage.name == name) else {
        return vec![format!("{path}: no stage of the design's table")];
    };
    for module in modules_used(&code) {
        let is_known = STAGES.iter().any(|stage| stage.name == module);
        let allowed = module == stage.name
            || EVERYBODY.contains(&module.as_str())
            || stage.may_use.contains(&module.as_str())
            || stage.and.contains(&module.as_str());
        if is_known && !allowed {
            offences.push(format!("{path}: stage `{name}` must not use `{module}`"));
        }
    }
    for outside in OUTSIDE {
        if code.contains(outside.text)
            && !outside.allowed.iter().any(|start| path.starts_with(start))
        {
            offences.push(format!(
                "{path}: must not use `{}`: {}",
                outside.text, outside.why
            ));
        }
    }
    if PURE.contains(&name) {
        for text in IMPURE {
            if code.contains(text) {
                offences.push(format!("{path}: `{text}` in a pure stage"));
            }
        }
    }
    offences
}

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files_below(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn no_stage_uses_another_that_the_design_does_not_allow() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    files_below(&root, &mut files);
    assert!(files.len() > STAGES.len(), "the sources were not found");
    let mut all = Vec::new();
    for file in files {
        let path = file
            .strip_prefix(&root)
            .expect("below src")
            .to_string_lossy()
            .replace('\\', "/");
        if matches!(path.as_str(), "lib.rs" | "main.rs") {
            continue;
        }
        all.extend(offences(
            &path,
            &fs::read_to_string(&file).expect("a source file"),
        ));
    }
    assert!(all.is_empty(), "\n{}", all.join("\n"));
}

#[test]
fn a_forbidden_edge_is_found_in_every_way_of_writing_it() {
    let found = |path: &str, source: &str| !offences(path, source).is_empty();
    assert!(found("image/mod.rs", "use crate::boot::Fcb;"));
    assert!(found(
        "plan/mod.rs",
        "use crate::{address::Address, link::{Link, Other}};"
    ));
    assert!(found(
        "boot/judge.rs",
        "fn f(x: &crate::survey::Present) {}"
    ));
    assert!(found(
        "plan/step.rs",
        "let now = std::time::Instant::now();"
    ));
    assert!(found("image/mod.rs", "std::fs::read(path)"));
    assert!(found("cli/mod.rs", "probe_rs::Probe::list_all()"));
    assert!(found("common/mod.rs", ""));
    assert!(!found(
        "plan/mod.rs",
        "use crate::{address::Address, boot::{BootImage, link}};"
    ));
    assert!(!found("image/mod.rs", "// as crate::boot has it"));
    assert!(!found("link/mod.rs", "use probe_rs::Error;"));
}
