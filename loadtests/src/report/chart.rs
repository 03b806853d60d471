//! A line chart as SVG, drawn without scripts: it prints, and takes its colours from the page.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use super::number;
use super::page::escape;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 16.0;
const BOTTOM: f64 = 46.0;
/// Colours of lines that the page knows.
const COLOURS: usize = 6;

/// Lines over one axis, with stretches of it marked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Chart {
    pub title: String,
    pub x: String,
    pub y: String,
    pub log_y: bool,
    pub lines: Vec<Line>,
    pub bands: Vec<Band>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Line {
    pub name: String,
    pub points: Vec<(f64, f64)>,
}

/// A marked stretch, such as the time of a fault.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Band {
    pub from: f64,
    pub to: f64,
    pub name: String,
}

impl Chart {
    pub fn svg(&self) -> String {
        let plane = Plane::over(self);
        let mut svg = format!(
            r#"<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{}">"#,
            escape(&self.title)
        );
        for band in &self.bands {
            let (from, to) = (plane.x(band.from), plane.x(band.to));
            let (width, height) = ((to - from).max(1.0), HEIGHT - TOP - BOTTOM);
            let label = escape(&band.name);
            let _ = write!(
                svg,
                r#"<rect class="band" x="{from:.1}" y="{TOP}" width="{width:.1}" height="{height}"/><text class="band-name" x="{:.1}" y="{:.1}">{label}</text>"#,
                from + 4.0,
                TOP + 12.0
            );
        }
        self.axes(&mut svg, &plane);
        for (nth, line) in self.lines.iter().enumerate() {
            let points: Vec<String> =
                line.points.iter().map(|(x, y)| format!("{:.1},{:.1}", plane.x(*x), plane.y(*y))).collect();
            let colour = nth % COLOURS;
            let _ = write!(svg, r#"<polyline class="line c{colour}" points="{}"/>"#, points.join(" "));
            if points.len() <= 40 {
                for (x, y) in &line.points {
                    let said = format!("{}: {} at {}", line.name, number(*y), number(*x));
                    let (x, y) = (plane.x(*x), plane.y(*y));
                    let said = escape(&said);
                    let _ = write!(
                        svg,
                        r#"<circle class="dot c{colour}" cx="{x:.1}" cy="{y:.1}" r="3"><title>{said}</title></circle>"#
                    );
                }
            }
        }
        svg + "</svg>"
    }

    fn axes(&self, svg: &mut String, plane: &Plane) {
        let (right, floor) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        for tick in plane.y_ticks() {
            let y = plane.y(tick);
            let shown = at_axis(tick);
            let _ = write!(
                svg,
                r#"<line class="grid" x1="{LEFT}" x2="{right}" y1="{y:.1}" y2="{y:.1}"/><text class="tick" x="{}" y="{:.1}" text-anchor="end">{shown}</text>"#,
                LEFT - 8.0,
                y + 4.0
            );
        }
        for tick in even_ticks(plane.x_from, plane.x_to) {
            let x = plane.x(tick);
            let shown = at_axis(tick);
            let _ = write!(
                svg,
                r#"<text class="tick" x="{x:.1}" y="{:.1}" text-anchor="middle">{shown}</text>"#,
                floor + 18.0
            );
        }
        let _ = write!(
            svg,
            r#"<line class="axis" x1="{LEFT}" x2="{right}" y1="{floor}" y2="{floor}"/><text class="name" x="{right}" y="{:.1}" text-anchor="end">{}</text><text class="name" x="{LEFT}" y="{:.1}">{}</text>"#,
            HEIGHT - 8.0,
            escape(&self.x),
            TOP - 5.0,
            escape(&self.y)
        );
    }

    /// Names of the lines with their colours, as HTML.
    pub fn legend(&self) -> String {
        let names = self
            .lines
            .iter()
            .enumerate()
            .map(|(nth, line)| format!(r#"<li class="c{}">{}</li>"#, nth % COLOURS, escape(&line.name)));
        format!(r#"<ul class="legend">{}</ul>"#, names.collect::<String>())
    }
}

/// A round figure without the zeros that say how exact it is.
fn at_axis(tick: f64) -> String {
    let shown = number(tick);
    match shown.contains('.') {
        true => shown.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => shown,
    }
}

/// Where figures come to stand.
struct Plane {
    x_from: f64,
    x_to: f64,
    y_from: f64,
    y_to: f64,
    log_y: bool,
}

impl Plane {
    fn over(chart: &Chart) -> Self {
        let points = || chart.lines.iter().flat_map(|line| &line.points);
        let marked = chart.bands.iter().flat_map(|band| [band.from, band.to]);
        let (x_from, x_to) = bounds(points().map(|(x, _)| *x).chain(marked));
        let lowest = if chart.log_y { f64::MIN_POSITIVE } else { f64::MIN };
        let (y_from, y_to) = bounds(points().map(|(_, y)| *y).filter(|y| *y >= lowest));
        let (y_from, y_to) = if chart.log_y {
            (10_f64.powf(y_from.max(1e-6).log10().floor()), 10_f64.powf(y_to.max(1e-5).log10().ceil()))
        } else {
            (0.0_f64.min(y_from), y_to * 1.05)
        };
        let y_to = if y_to > y_from { y_to } else { y_from + 1.0 };
        Self { x_from, x_to, y_from, y_to, log_y: chart.log_y }
    }

    fn x(&self, x: f64) -> f64 {
        let share = (x - self.x_from) / (self.x_to - self.x_from);
        LEFT + share * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, y: f64) -> f64 {
        let share = if self.log_y {
            (y.max(self.y_from) / self.y_from).log10() / (self.y_to / self.y_from).log10()
        } else {
            (y - self.y_from) / (self.y_to - self.y_from)
        };
        HEIGHT - BOTTOM - share.clamp(0.0, 1.0) * (HEIGHT - TOP - BOTTOM)
    }

    fn y_ticks(&self) -> Vec<f64> {
        if !self.log_y {
            return even_ticks(self.y_from, self.y_to);
        }
        let mut ticks = vec![self.y_from];
        while let Some(last) = ticks.last().copied()
            && last * 9.99 < self.y_to
            && ticks.len() < 12
        {
            ticks.push(last * 10.0);
        }
        ticks
    }
}

/// The least and the most, at least a little apart.
fn bounds(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let values = values.filter(|value| value.is_finite());
    let (from, to) = values.fold((f64::MAX, f64::MIN), |(from, to), value| (from.min(value), to.max(value)));
    match (from, to) {
        (from, to) if from > to => (0.0, 1.0),
        (from, to) if to - from < 1e-9 => (from - 0.5, to + 0.5),
        both => both,
    }
}

/// Some round figures between two.
fn even_ticks(from: f64, to: f64) -> Vec<f64> {
    let rough = (to - from) / 6.0;
    let unit = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|by| by * unit).into_iter().find(|step| *step >= rough);
    let step = step.unwrap_or(unit * 10.0);
    let first = (from / step).ceil();
    (0..12).map(|nth| (first + f64::from(nth)) * step).take_while(|tick| *tick <= to + step * 1e-6).collect()
}
