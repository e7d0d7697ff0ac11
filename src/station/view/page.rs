//! The whole page: station and figures above, a tile for each site, what happened last, and the keys below.

use jiff::tz::TimeZone;
use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::Settings;
use super::keyboard::Keyboard;
use super::look::{Look, Tone};
use super::model::{Model, Said};
use super::tile::Tile;
use super::wrap::{cut, fit};
use crate::station::words::SHORT_HASH_DIGITS;

/// The smallest tile that tells a verdict, and what to do, in words; the column between two tiles included.
const TILE_COLUMNS: u16 = 19;
const TILE_ROWS: u16 = 3;
/// Free columns between two tiles.
const GUTTER: u16 = 1;
const HEADER_ROWS: u16 = 2;
const FOOTER_ROWS: u16 = 1;
/// One row of so many is for the list of last events, up to [`LIST_ROWS`].
const LIST_SHARE: u16 = 8;
const LIST_ROWS: u16 = 8;
/// A tile looks best with so many columns for a row: the large letters are that wide.
const COLUMNS_PER_ROW: u32 = 5;

/// How the tiles are arranged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Tiles beside each other.
    pub columns: u16,
    /// Tiles above each other.
    pub rows: u16,
}

impl Grid {
    /// For so many sites in a terminal of this size; none where it is too small.
    pub fn of(sites: usize, width: u16, height: u16) -> Option<Grid> {
        let sites = u16::try_from(sites).ok()?.max(1);
        let height = height.checked_sub(HEADER_ROWS + FOOTER_ROWS)?;
        let grids = (1..=sites).map(|columns| Grid {
            columns,
            rows: sites.div_ceil(columns),
        });
        let fitting = grids
            .filter(|grid| width / grid.columns >= TILE_COLUMNS && height / grid.rows >= TILE_ROWS);
        // the last of equals is the one with the most tiles beside each other: rows are what terminals lack
        fitting.max_by_key(|grid| {
            let tile_width = u32::from(width / grid.columns);
            let tile_height = u32::from(height / grid.rows);
            tile_width.min(tile_height * COLUMNS_PER_ROW)
        })
    }

    /// The smallest terminal for so many sites, in columns and rows, with the usual 80 columns where they do.
    fn smallest(sites: usize) -> (u16, u16) {
        const USUAL_COLUMNS: u16 = 80;
        let sites = u16::try_from(sites).unwrap_or(u16::MAX).max(1);
        let columns = (USUAL_COLUMNS / TILE_COLUMNS).min(sites);
        let rows = sites.div_ceil(columns).saturating_mul(TILE_ROWS);
        (
            columns * TILE_COLUMNS,
            rows.saturating_add(HEADER_ROWS + FOOTER_ROWS),
        )
    }
}

/// What is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// The station.
    pub model: &'a Model,
    /// What the operator types.
    pub keyboard: &'a Keyboard,
    /// How it is shown.
    pub settings: &'a Settings,
}

impl Page<'_> {
    /// Draws it.
    pub fn render(&self, frame: &mut Frame<'_>) {
        let area = frame.area();
        let buffer = frame.buffer_mut();
        let Some(grid) = Grid::of(self.model.sites.len(), area.width, area.height) else {
            return self.too_small(area, buffer);
        };
        let inner = area.height - HEADER_ROWS - FOOTER_ROWS;
        let least = grid.rows * TILE_ROWS;
        let list = (area.height / LIST_SHARE).min(LIST_ROWS).min(inner - least);
        let tiles = Rect {
            y: area.y + HEADER_ROWS,
            height: inner - list,
            ..area
        };
        self.header(area, buffer);
        self.tiles(grid, tiles, buffer);
        self.list(
            Rect {
                y: tiles.bottom(),
                height: list,
                ..area
            },
            buffer,
        );
        self.footer(
            Rect {
                y: area.bottom() - FOOTER_ROWS,
                height: FOOTER_ROWS,
                ..area
            },
            buffer,
        );
    }

    fn header(&self, area: Rect, buffer: &mut Buffer) {
        let model = self.model;
        let hash: String = model.job_sha256.chars().take(SHORT_HASH_DIGITS).collect();
        let mut title = format!("{} · job {} ({hash})", model.station, model.job);
        if model.rehearsal {
            title.push_str(" · REHEARSAL: virtual boards");
        }
        if model.quota_reached {
            title.push_str(" · QUOTA USED UP: no further unit");
        }
        line(buffer, area, 0, &title, Modifier::BOLD);

        let figures = &model.figures;
        let percent =
            |share: Option<u64>| share.map_or("–".to_owned(), |share| format!("{share} %"));
        let rate = figures.units_per_hour();
        let numbers = format!(
            "passed {} of {} ({}) · first-pass yield {} of {} · units/hour {}",
            figures.passed,
            figures.judged,
            percent(figures.attempt_yield()),
            percent(figures.first_pass_yield()),
            figures.tried,
            rate.map_or("–".to_owned(), |rate| format!("{rate:.0}")),
        );
        line(buffer, area, 1, &numbers, Modifier::empty());
    }

    fn tiles(&self, grid: Grid, area: Rect, buffer: &mut Buffer) {
        let (width, height) = (area.width / grid.columns, area.height / grid.rows);
        // what is left over goes to the first column and row, one each
        let at = |place: u16, size: u16, whole: u16, count: u16| {
            let over = whole % count;
            (
                place * size + place.min(over),
                size + u16::from(place < over),
            )
        };
        for (place, site) in (0u16..).zip(&self.model.sites) {
            let (x, width) = at(place % grid.columns, width, area.width, grid.columns);
            let (y, height) = at(place / grid.columns, height, area.height, grid.rows);
            let is_last = place % grid.columns + 1 == grid.columns;
            let tile = Tile {
                site,
                place: place.into(),
                selected: self.keyboard.selected() == Some(place.into()),
                color: self.settings.color,
                key: &self.keyboard.key_of(place.into()),
            };
            tile.render(
                Rect {
                    x: area.x + x,
                    y: area.y + y,
                    width: if is_last { width } else { width - GUTTER },
                    height,
                },
                buffer,
            );
        }
    }

    fn list(&self, area: Rect, buffer: &mut Buffer) {
        let recent = &self.model.recent;
        let skipped = recent.len().saturating_sub(area.height.into());
        for (row, said) in (0..area.height).zip(recent.iter().skip(skipped)) {
            line(
                buffer,
                area,
                row,
                &said.line(&self.settings.zone),
                Modifier::DIM,
            );
        }
    }

    fn footer(&self, area: Rect, buffer: &mut Buffer) {
        let help = self.keyboard.help(self.model);
        line(buffer, area, 0, &help, Modifier::REVERSED);
        let style = Style::new().add_modifier(Modifier::REVERSED);
        buffer.set_style(area, style);
    }

    /// What cannot be shown is at least counted, and a FAIL is named.
    fn too_small(&self, area: Rect, buffer: &mut Buffer) {
        let sites = self.model.sites.len();
        let (width, height) = Grid::smallest(sites);
        let mut text = format!(
            "terminal too small for {sites} site(s): {}x{}, needs {width}x{height}",
            area.width, area.height
        );
        let failed = self.model.sites.iter().filter(|site| {
            let look = Look::of(site);
            matches!(look.tone, Tone::Bad { seen: false })
        });
        let failed: Vec<&str> = failed.map(|site| site.label.as_str()).collect();
        if !failed.is_empty() {
            text.push_str(&format!("; FAIL at {}", failed.join(", ")));
        }
        let text = fit(&text, area.width.into(), area.height.into());
        for (row, text) in (0..area.height).zip(text) {
            line(buffer, area, row, &text, Modifier::BOLD);
        }
    }
}

impl Said {
    /// `12:34:56 A1 FAIL …`, by the clock on the wall.
    fn line(&self, zone: &TimeZone) -> String {
        let at = self.at.to_zoned(zone.clone());
        let site = self.site.as_deref().unwrap_or("–");
        format!("{} {site}  {}", at.strftime("%H:%M:%S"), self.words)
    }
}

fn line(buffer: &mut Buffer, area: Rect, row: u16, text: &str, modifier: Modifier) {
    if row >= area.height {
        return;
    }
    let width = usize::from(area.width);
    let style = Style::new().add_modifier(modifier);
    buffer.set_stringn(area.x, area.y + row, cut(text, width), width, style);
}
