//! One run as a picture: when link, erase and program were busy.

use std::fmt::Write;
use std::time::Duration;

use virtual_board::activity::{Span, What};

use super::Measured;

const WIDTH: f64 = 1200.0;
const LEFT: f64 = 90.0;
const LANE: f64 = 34.0;
const TOP: f64 = 46.0;
const BAR: f64 = 24.0;

/// What a lane shows.
struct Lane {
    name: &'static str,
    colour: &'static str,
    shows: fn(&What) -> bool,
}

const LANES: [Lane; 3] = [
    Lane {
        name: "link",
        colour: "#4477aa",
        shows: |what| matches!(what, What::Transaction),
    },
    Lane {
        name: "erase",
        colour: "#cc6677",
        shows: |what| matches!(what, What::Erase { .. }),
    },
    Lane {
        name: "program",
        colour: "#228833",
        shows: |what| matches!(what, What::Program | What::WriteRegisters),
    },
];

/// A picture of a run.
#[derive(Clone, Copy, Debug)]
pub struct Timeline<'m> {
    /// What is in its title.
    pub title: &'m str,
    /// The run.
    pub measured: &'m Measured,
}

impl Timeline<'_> {
    /// The picture as SVG.
    pub fn svg(&self) -> String {
        let start = self.measured.spans.iter().map(|span| span.from).min();
        let start = Duration::from(start.unwrap_or_default()).as_secs_f64();
        let phases: f64 = self.measured.total_seconds();
        let last = self.measured.spans.iter().map(|span| span.until).max();
        let end = Duration::from(last.unwrap_or_default()).as_secs_f64();
        let length = (end - start).max(phases).max(f64::MIN_POSITIVE);
        let x = |seconds: f64| LEFT + (seconds - start) / length * (WIDTH - LEFT - 10.0);
        let height = TOP + LANE * LANES.len() as f64 + 40.0;
        let title = escaped(self.title);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
             font-family=\"sans-serif\" font-size=\"13\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
             <text x=\"{LEFT}\" y=\"20\">{title}</text>\n"
        );
        self.phases(&mut svg, start, height, &x);
        for (lane, y) in LANES.iter().zip(0..) {
            self.lane(&mut svg, lane, TOP + LANE * f64::from(y), length, &x);
        }
        svg += "</svg>\n";
        svg
    }

    fn phases(&self, svg: &mut String, start: f64, height: f64, x: &dyn Fn(f64) -> f64) {
        let mut at = start;
        for phase in &self.measured.phases {
            let (from, floor) = (x(at), height - 34.0);
            // writing to a String cannot fail
            let _ = writeln!(
                svg,
                "<line x1=\"{from:.1}\" y1=\"{:.1}\" x2=\"{from:.1}\" y2=\"{floor:.1}\" stroke=\"#999\" stroke-dasharray=\"3\"/>",
                TOP - 6.0
            );
            if x(at + phase.seconds) - from > 50.0 {
                let _ = writeln!(
                    svg,
                    "<text x=\"{:.1}\" y=\"{:.1}\" fill=\"#555\">{} {:.3} s</text>",
                    from + 3.0,
                    height - 20.0,
                    escaped(phase.name),
                    phase.seconds
                );
            }
            at += phase.seconds;
        }
    }

    /// Bars that touch on the picture are drawn as one, so that the file stays small.
    fn lane(&self, svg: &mut String, lane: &Lane, y: f64, length: f64, x: &dyn Fn(f64) -> f64) {
        let shown = self
            .measured
            .spans
            .iter()
            .filter(|span| (lane.shows)(&span.what));
        let busy: f64 = shown
            .clone()
            .map(seconds)
            .map(|(from, until)| until - from)
            .sum();
        let _ = writeln!(
            svg,
            "<text x=\"4\" y=\"{:.1}\">{} {:.0} %</text>",
            y + BAR - 7.0,
            lane.name,
            100.0 * busy / length
        );
        const GAP: f64 = 0.5;
        let mut bars: Vec<(f64, f64)> = Vec::new();
        for (from, until) in shown.map(seconds) {
            let (from, until) = (x(from), x(until));
            match bars.last_mut() {
                Some(bar) if from - bar.1 < GAP => bar.1 = bar.1.max(until),
                _ => bars.push((from, until)),
            }
        }
        for (from, until) in bars {
            let _ = writeln!(
                svg,
                "<rect x=\"{from:.2}\" y=\"{y:.1}\" width=\"{:.2}\" height=\"{BAR}\" fill=\"{}\"/>",
                (until - from).max(0.2),
                lane.colour
            );
        }
    }
}

fn seconds(span: &Span) -> (f64, f64) {
    let seconds = |time| Duration::from(time).as_secs_f64();
    (seconds(span.from), seconds(span.until))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use virtual_board::time::Time;

    use super::*;
    use crate::report::Phase;

    #[test]
    fn every_lane_shows_its_own_spans_and_the_text_is_escaped() {
        let span = |from, until, what| Span {
            from: Time::ms(from),
            until: Time::ms(until),
            what,
        };
        let measured = Measured {
            phases: vec![Phase {
                name: "program",
                seconds: 0.1,
                transactions: 3,
            }],
            programs: 1,
            erases: 1,
            image_bytes: 256,
            pages: 1,
            link_busy: Duration::from_millis(50),
            spans: vec![
                span(0, 50, What::Transaction),
                span(10, 80, What::Erase { bytes: 4096 }),
                span(90, 100, What::Program),
            ],
        };
        let svg = Timeline {
            title: "1 < 2 & 3",
            measured: &measured,
        }
        .svg();
        assert!(svg.contains("1 &lt; 2 &amp; 3"));
        for lane in ["link 50 %", "erase 70 %", "program 10 %"] {
            assert!(svg.contains(lane), "{lane} in {svg}");
        }
        assert_eq!(svg.matches("<rect x=").count(), 3);
        assert!(svg.trim_end().ends_with("</svg>"));
    }
}
