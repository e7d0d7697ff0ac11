//! What is typed and scanned where no view takes keys: lines on standard input.

use std::io::{self, BufRead};
use std::str;
use std::sync::mpsc::Sender;
use std::thread;

use super::super::print_aside;
use crate::records::visible;
use crate::station::Command;

/// Takes keys and codes as lines: `start SITE`, `ack` or `ack SITE`, `quit`; every other line is a scanned code, as barcode
/// scanners type them. The end of the input ends nothing.
pub fn listen(commands: Sender<Command>) {
    thread::spawn(move || take(io::stdin().lock(), &commands, &mut print_aside));
}

/// Takes lines until there is none any more, or nobody who wants them.
fn take(mut input: impl BufRead, commands: &Sender<Command>, tell: &mut dyn FnMut(&str)) {
    let mut line = Vec::new();
    loop {
        line.clear();
        match input.read_until(b'\n', &mut line) {
            Ok(1..) => {}
            Ok(0) => return,
            Err(error) => {
                tell(&format!("standard input cannot be read any more: {error}"));
                return;
            }
        }
        // a code with characters made up for those that cannot be read would be another board's
        let Ok(text) = str::from_utf8(&line) else {
            let shown = visible(&String::from_utf8_lossy(&line));
            tell(&format!(
                "nothing done: a line on standard input is not UTF-8 text: {shown}"
            ));
            continue;
        };
        let Some(command) = command(text) else {
            continue;
        };
        if commands.send(command).is_err() {
            return;
        }
    }
}

/// What a typed line asks for; none for an empty one.
fn command(line: &str) -> Option<Command> {
    let line = line.trim();
    let mut words = line.split_whitespace();
    let command = match (words.next()?, words.next(), words.next()) {
        ("start", Some(site), None) => Command::Start {
            site: site.to_owned(),
        },
        ("ack", site, None) => Command::Acknowledge {
            site: site.map(str::to_owned),
        },
        ("quit", None, None) => Command::Quit,
        _ => Command::Code {
            site: None,
            code: line.to_owned(),
        },
    };
    Some(command)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_typed_line_is_a_command_or_a_code() {
        let code = |code: &str| {
            Some(Command::Code {
                site: None,
                code: code.to_owned(),
            })
        };
        let site = || "A".to_owned();
        assert_eq!(command("start A"), Some(Command::Start { site: site() }));
        assert_eq!(
            command(" ack A "),
            Some(Command::Acknowledge { site: Some(site()) })
        );
        assert_eq!(command("ack"), Some(Command::Acknowledge { site: None }));
        assert_eq!(command("quit"), Some(Command::Quit));
        assert_eq!(command("SN0001\r"), code("SN0001"));
        assert_eq!(command("quit now"), code("quit now"));
        assert_eq!(command("  "), None);
    }
    #[test]
    fn a_line_that_is_no_text_is_told_and_those_behind_it_are_taken() {
        let (commands, asked) = mpsc::channel();
        let mut told = Vec::new();
        let typed: &[u8] = b"start A\nPCB-\xE4\xF6\n\nquit";
        take(typed, &commands, &mut |line| told.push(line.to_owned()));
        let site = "A".to_owned();
        let asked: Vec<Command> = asked.try_iter().collect();
        assert_eq!(asked, [Command::Start { site }, Command::Quit]);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("not UTF-8 text: PCB-"), "{told:?}");
    }
}
