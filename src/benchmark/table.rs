//! The table: one row a case, and what every figure is measured against.

use std::fmt;
use std::time::Duration;

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};

use virtual_board::rom::api::RomErase;

use super::{Bound, Case, Measured, Must, Way, Work};

/// Bits of a byte on the line of a UART without parity.
const UART_BITS: f64 = 10.0;
/// Baud rate of the UART path in NXP's tools.
const UART_BAUD: f64 = 115_200.0;
const KIB: f64 = 1024.0;
const COLUMNS: usize = 14;

/// A case with its figures.
#[derive(Clone, Debug)]
pub struct Row {
    /// The case.
    pub case: Case,
    /// The figures.
    pub measured: Measured,
    /// What the parts allow; none for a job without a bound.
    pub bound: Option<Bound>,
}

impl Row {
    /// Whether the figures reach what they must; `None` where nothing is asked of them.
    pub fn reaches(&self) -> Option<bool> {
        Some(match self.case.must? {
            Must::Seconds(seconds) => self.measured.total_seconds() <= seconds,
            Must::OfBound(ratio) => self.of_bound()? <= ratio,
        })
    }

    /// Data phase in multiples of the bound.
    pub fn of_bound(&self) -> Option<f64> {
        let bound = self.bound?.longest().as_secs_f64();
        (bound > 0.0).then(|| self.measured.data_seconds() / bound)
    }
}

/// Seconds that `bytes` take through a UART, with nothing else on it: what the boot ROM's serial downloader needs at
/// least.
fn uart_seconds(bytes: u32) -> f64 {
    f64::from(bytes) * UART_BITS / UART_BAUD
}

/// How many times as long the stock algorithm takes for the same job, where that was measured.
fn of_stock(row: &Row, rows: &[Row]) -> Option<f64> {
    let is_stock = |other: &&Row| {
        other.case.way == Way::Stock(RomErase::AsPublished) && other.case.is_same_job(&row.case)
    };
    let stock = rows.iter().find(is_stock)?;
    Some(stock.measured.data_seconds() / row.measured.data_seconds())
}

/// The rows as a table for people.
pub fn table(rows: &[Row]) -> String {
    let mut table = Table::new();
    table.load_preset(NOTHING);
    table.set_header([
        "job",
        "KiB",
        "flash before",
        "MHz",
        "way",
        "whole s",
        "data s",
        "KiB/s",
        "trans.",
        "bound s",
        "x bound",
        "stock / it",
        "must",
        "",
    ]);
    for row in rows {
        table.add_row(cells(row, rows));
    }
    if let Some(bytes) = rows.iter().map(|row| row.case.bytes).max() {
        table.add_row(uart_cells(bytes));
    }
    for column in [1, 3, 5, 6, 7, 8, 9, 10, 11] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt()
}

/// Arithmetic, not a measurement, and marked so.
fn uart_cells(bytes: u32) -> [String; COLUMNS] {
    let seconds = uart_seconds(bytes);
    let mut cells = <[String; COLUMNS]>::default();
    let texts = [
        (0, "flash".to_owned()),
        (1, (bytes / 1024).to_string()),
        (
            4,
            "boot ROM over UART, 115200 baud (ARITHMETIC: transfer alone)".to_owned(),
        ),
        (5, format!("{seconds:.0}")),
        (7, format!("{:.1}", f64::from(bytes) / KIB / seconds)),
    ];
    for (column, text) in texts {
        if let Some(cell) = cells.get_mut(column) {
            *cell = text;
        }
    }
    cells
}

fn cells(row: &Row, rows: &[Row]) -> [String; COLUMNS] {
    let Row {
        case,
        measured,
        bound,
    } = row;
    let flashed = case.work == Work::Flash;
    let data = measured.data_seconds();
    let rate = f64::from(case.bytes) / KIB / measured.total_seconds();
    let seconds = |seconds: f64| format!("{seconds:.3}");
    let only = |wanted: bool, text: String| if wanted { text } else { String::new() };
    [
        case.work.to_string(),
        (case.bytes / 1024).to_string(),
        case.before.to_string(),
        format!("{:.1}", f64::from(case.speed_khz) / 1000.0),
        case.conditions(),
        seconds(measured.total_seconds()),
        only(flashed, seconds(data)),
        only(case.work != Work::Session, format!("{rate:.1}")),
        measured.transactions().to_string(),
        bound.map_or(String::new(), |bound| {
            seconds(bound.longest().as_secs_f64())
        }),
        row.of_bound()
            .map_or(String::new(), |ratio| format!("{ratio:.3}")),
        of_stock(row, rows).map_or(String::new(), |ratio| format!("{ratio:.1}")),
        case.must.map_or(String::new(), |must| must.to_string()),
        match row.reaches() {
            None => String::new(),
            Some(true) => "reached".to_owned(),
            Some(false) => "MISSED".to_owned(),
        },
    ]
}

/// What the columns of the table are made of.
impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.case)?;
        let phases = self.measured.phases.iter();
        let phases: Vec<String> = phases
            .map(|phase| {
                format!(
                    "{} {:.3} s ({})",
                    phase.name, phase.seconds, phase.transactions
                )
            })
            .collect();
        writeln!(f, "    phases with transactions: {}", phases.join(", "))?;
        write!(
            f,
            "    flash: {} page programs, {} erases; link busy {:.3} s",
            self.measured.programs,
            self.measured.erases,
            self.measured.link_busy.as_secs_f64()
        )?;
        let Some(bound) = self.bound else {
            return Ok(());
        };
        let s = |span: Duration| span.as_secs_f64();
        write!(
            f,
            "\n    bound: link {:.3} s (clocks {:.3}, round trips {:.3}), flash {:.3} s (erase {:.3}, program {:.3}, wires {:.3})",
            s(bound.link()),
            s(bound.clocks),
            s(bound.round_trips),
            s(bound.flash()),
            s(bound.erase),
            s(bound.program),
            s(bound.wires)
        )
    }
}
