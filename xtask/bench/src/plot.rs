//! Draws a run's medians: a panel of bars for each of the chief cases, short bars being better.

use std::{error::Error, fs};

use plotters::{
    coord::Shift,
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};
use serde_json::Value;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Who is drawn, and in which colour: ours, actix, others.
const PEERS: &[(&str, &str, RGBColor)] = &[
    ("bare", "bare actix", ACTIX),
    ("bare-catch", "caught by hand", ACTIX),
    ("actix-supervisor", "actix::Supervisor", ACTIX),
    ("lean", "ours, lean", OURS),
    ("dynamic", "ours, dynamic child", OURS),
    ("kameo", "kameo", OTHERS),
    ("ractor", "ractor", OTHERS),
    ("ractor-supervisor", "ractor-supervisor", OTHERS),
    ("tokio-actors", "tokio-actors", OTHERS),
    ("erlang", "Erlang/OTP", OTHERS),
];
const ACTIX: RGBColor = RGBColor(120, 125, 135);
const OURS: RGBColor = RGBColor(208, 92, 32);
const OTHERS: RGBColor = RGBColor(96, 144, 192);
const INK: RGBColor = RGBColor(40, 44, 52);

/// What is drawn: the case, its title, and by how much its figures are divided for their unit.
const PANELS: &[(&str, &str, f64, &str)] = &[
    ("tell", "tell, in bursts", 1.0, "ns"),
    ("ask", "ask", 1.0, "ns"),
    ("spawn", "spawn and first answer", 1e3, "us"),
    ("bytes", "memory of an idle actor", 1.0, "B"),
    (
        "restart-panic",
        "restart after a panic, to the answered ping",
        1e3,
        "us",
    ),
    (
        "restart-error",
        "restart after a reported failure, likewise",
        1e3,
        "us",
    ),
    (
        "storm-100k-panic",
        "100,000 panic at once, until all answer",
        1.0,
        "ms",
    ),
    (
        "storm-100k-error",
        "100,000 fail at once, until all answer",
        1.0,
        "ms",
    ),
];

const COLUMNS: usize = 2;
const PANEL: (u32, u32) = (460, 250);
const HEAD: u32 = 46;

/// Reads a run's file and draws it.
pub fn draw(results: &str, svg: &str) -> Result<(), Box<dyn Error>> {
    let results: Value = serde_json::from_str(&fs::read_to_string(results)?)?;
    let lines = PANELS.len().div_ceil(COLUMNS) as u32;
    let size = (PANEL.0 * COLUMNS as u32, HEAD + PANEL.1 * lines);
    let root = SVGBackend::new(svg, size).into_drawing_area();
    root.fill(&WHITE)?;
    let title = "Medians of one run, actors on the caller's thread; shorter is better";
    root.draw(&Text::new(title, (16, 14), font(21)))?;
    let (_, below) = root.split_vertically(HEAD);
    let areas = below.split_evenly((lines as usize, COLUMNS));
    for (area, panel) in areas.iter().zip(PANELS) {
        draw_panel(area, &results, *panel)?;
    }
    root.present()?;
    Ok(())
}

/// One bar.
struct Bar {
    title: &'static str,
    colour: RGBColor,
    /// `None` for one that was killed.
    value: Option<f64>,
    label: String,
}

fn draw_panel(
    area: &Area<'_>,
    results: &Value,
    (case, title, divisor, unit): (&str, &str, f64, &str),
) -> Result<(), Box<dyn Error>> {
    const LEFT: i32 = 150;
    const RIGHT: i32 = 95;
    let bars = bars(results, case, divisor, unit);
    area.draw(&Text::new(title, (16, 4), font(18)))?;
    let longest = longest(&bars);
    let room = f64::from(PANEL.0 as i32 - LEFT - RIGHT);
    for (line, bar) in bars.iter().enumerate() {
        let top = 28 + 20 * line as i32;
        let value = bar.value.filter(|value| *value <= longest);
        let length = value.map_or(room, |value| value / longest * room);
        let end = LEFT + length.max(1.0) as i32;
        // One that was killed or is off the scale is as long as the panel, and pale.
        let fill = bar
            .colour
            .mix(if value.is_some() { 1.0 } else { 0.25 })
            .filled();
        area.draw(&Rectangle::new([(LEFT, top), (end, top + 15)], fill))?;
        let right = font(15).pos(Pos::new(HPos::Right, VPos::Center));
        area.draw(&Text::new(bar.title, (LEFT - 6, top + 8), right))?;
        let left = font(15).pos(Pos::new(HPos::Left, VPos::Center));
        area.draw(&Text::new(bar.label.as_str(), (end + 5, top + 8), left))?;
    }
    Ok(())
}

/// The value that fills a panel; beyond are those that would leave no room for the others.
fn longest(bars: &[Bar]) -> f64 {
    const SCALE: f64 = 40.0;
    let values = || bars.iter().filter_map(|bar| bar.value);
    let shortest = values().fold(f64::INFINITY, f64::min);
    values()
        .filter(|value| *value <= shortest * SCALE)
        .fold(f64::MIN_POSITIVE, f64::max)
}

fn bars(results: &Value, case: &str, divisor: f64, unit: &str) -> Vec<Bar> {
    let rows = results["rows"].as_array().into_iter().flatten();
    let mut rows = rows.filter(|row| row["case"] == case && row["place"] == "same");
    let Some(row) = rows.next() else {
        return Vec::new();
    };
    let bar = |&(peer, title, colour): &(&str, &'static str, RGBColor)| {
        let cell = &row["cells"][peer];
        let limit = cell["over_limit"]
            .as_u64()
            .map(|seconds| format!("> {seconds} s"));
        let value = median(cell).map(|value| value / divisor);
        let label = match value {
            Some(value) if value < 100.0 => format!("{value:.1} {unit}"),
            Some(value) => format!("{value:.0} {unit}"),
            None => limit?,
        };
        Some(Bar {
            title,
            colour,
            value,
            label,
        })
    };
    PEERS.iter().filter_map(bar).collect()
}

fn median(cell: &Value) -> Option<f64> {
    let runs = cell["runs"].as_array()?;
    let mut values: Vec<f64> = runs
        .iter()
        .filter_map(|run| run["value"].as_f64())
        .collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        n if n % 2 == 1 => Some(values[middle]),
        _ => Some((values[middle - 1] + values[middle]) / 2.0),
    }
}

fn font(size: u32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&INK)
}
