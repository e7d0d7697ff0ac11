//! The picture in the README: the page as an SVG, made of the very cells that a terminal gets.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

use super::scenes::shift;

const BLESS: &str = "RTFLASH_BLESS";
const FILE: &str = "docs/station.svg";
/// The size of a cell.
const CELL_WIDTH: f64 = 8.0;
const CELL_HEIGHT: f64 = 17.0;
const BASELINE: f64 = 13.0;
const BACKGROUND: &str = "#101418";
const TEXT: &str = "#d0d0d0";

fn rgb(color: Color) -> Option<&'static str> {
    Some(match color {
        Color::Black => "#000000",
        Color::Red => "#c01c28",
        Color::Green => "#26a269",
        Color::Yellow => "#e0b020",
        Color::Blue => "#1a4fa0",
        Color::LightRed => "#ff6b6b",
        Color::LightGreen => "#57e389",
        Color::LightYellow => "#f8e45c",
        Color::LightBlue => "#8ab4f8",
        Color::White => "#ffffff",
        _ => return None,
    })
}

/// Text and ground of a cell.
fn colours(cell: &Cell) -> (&'static str, &'static str) {
    let (text, ground) = (
        rgb(cell.fg).unwrap_or(TEXT),
        rgb(cell.bg).unwrap_or(BACKGROUND),
    );
    if cell.modifier.contains(Modifier::REVERSED) {
        return (ground, text);
    }
    (text, ground)
}

/// Blocks are drawn, not written: fonts leave gaps between them. Part of the cell from the top, and its height.
fn block(symbol: &str) -> Option<(f64, f64, f64)> {
    match symbol {
        "█" => Some((0.0, 1.0, 1.0)),
        "▀" => Some((0.0, 0.5, 1.0)),
        "▄" => Some((0.5, 0.5, 1.0)),
        "░" => Some((0.0, 1.0, 0.3)),
        _ => None,
    }
}

/// Neighbours that look alike.
fn runs(row: &[Cell]) -> Vec<(usize, &[Cell])> {
    let alike = |a: &Cell, b: &Cell| {
        colours(a) == colours(b)
            && a.modifier == b.modifier
            && block(a.symbol()) == block(b.symbol())
    };
    let mut at = 0;
    row.chunk_by(alike)
        .map(|run| {
            let start = at;
            at += run.len();
            (start, run)
        })
        .collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

fn svg(buffer: &Buffer) -> String {
    let (columns, rows) = (buffer.area.width, buffer.area.height);
    let (width, height) = (
        f64::from(columns) * CELL_WIDTH,
        f64::from(rows) * CELL_HEIGHT,
    );
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         font-family=\"'DejaVu Sans Mono',Menlo,Consolas,monospace\" font-size=\"13\" xml:space=\"preserve\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"{BACKGROUND}\"/>\n"
    );
    for (y, row) in buffer.content().chunks(columns.into()).enumerate() {
        let top = y as f64 * CELL_HEIGHT;
        for (start, run) in runs(row) {
            let (left, width) = (start as f64 * CELL_WIDTH, run.len() as f64 * CELL_WIDTH);
            let cell = &run[0];
            let (text, ground) = colours(cell);
            let mut rect = |top: f64, height: f64, fill: &str, opacity: f64| {
                let opacity = if opacity < 1.0 {
                    format!(" fill-opacity=\"{opacity}\"")
                } else {
                    String::new()
                };
                writeln!(
                    svg,
                    "<rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" fill=\"{fill}\"{opacity}/>"
                )
                .expect("written");
            };
            if ground != BACKGROUND {
                rect(top, CELL_HEIGHT, ground, 1.0);
            }
            if let Some((from, share, opacity)) = block(cell.symbol()) {
                rect(top + from * CELL_HEIGHT, share * CELL_HEIGHT, text, opacity);
                continue;
            }
            let words: String = run.iter().map(Cell::symbol).collect();
            if words.trim().is_empty() {
                continue;
            }
            let bold = cell.modifier.contains(Modifier::BOLD);
            let dim = cell.modifier.contains(Modifier::DIM);
            writeln!(
                svg,
                "<text x=\"{left}\" y=\"{}\" textLength=\"{width}\" fill=\"{text}\"{}{}>{}</text>",
                top + BASELINE,
                if bold { " font-weight=\"bold\"" } else { "" },
                if dim { " opacity=\"0.65\"" } else { "" },
                escaped(&words)
            )
            .expect("written");
        }
    }
    svg + "</svg>\n"
}

#[test]
fn the_picture_in_the_readme_is_what_the_view_draws() {
    let drawn = svg(&shift().drawn(120, 40));
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    if std::env::var(BLESS).is_ok_and(|value| value == "1") {
        fs::write(&file, &drawn).expect("written");
    }
    assert!(
        fs::read_to_string(&file).unwrap_or_default() == drawn,
        "{FILE} is not what the view draws; if the change is meant: {BLESS}=1 cargo test --lib view"
    );
}
