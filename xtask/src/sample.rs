//! The demo's input, made from a seed: 50,000 orders of which some are damaged.
//!
//! The same seed gives the same bytes on every machine, so `tidy` can tell whether the file in the
//! repository is the one this code makes.

use std::{fmt::Write, fs, path::PathBuf};

use crate::{
    figures::{Failed, Figures},
    workspace,
};

/// Where the sample lives, from the workspace's root.
pub(crate) const PATH: &str = "examples/ingest/sample.ndjson";
const LINES: u64 = 50_000;
const SEED: u64 = 7;
/// One line in so many is damaged.
const DAMAGED_ONE_IN: u64 = 90;

const SHOPS: &[&str] = &[
    "Lyon", "Oslo", "Porto", "Gent", "Graz", "Turku", "Brno", "Cork",
];
const GOODS: &[&str] = &["LMP", "CHR", "TBL", "BED", "RUG", "POT"];

/// What to write, and where.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Seed; another one than the default gives a file that `tidy` refuses
    #[arg(long, default_value_t = SEED)]
    seed: u64,
    /// Lines to write
    #[arg(long, default_value_t = LINES)]
    lines: u64,
    /// File to write [default: the sample in the repository]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(crate) fn run(args: Args) -> Result<Figures, Failed> {
    let mut figures = Figures::of("sample");
    let path = match args.output {
        Some(path) => path,
        None => workspace::root()?.join(PATH),
    };
    let bytes = generate(args.seed, args.lines);
    fs::write(&path, &bytes)?;
    figures.note("seed", args.seed);
    figures.note("lines", args.lines);
    figures.note("bytes", bytes.len());
    Ok(figures)
}

/// The sample as it must be in the repository.
pub(crate) fn expected() -> Vec<u8> {
    generate(SEED, LINES)
}

fn generate(seed: u64, lines: u64) -> Vec<u8> {
    let mut dice = Dice(seed);
    let mut sample = Vec::new();
    for line in 0..lines {
        let order = Order::draw(&mut dice, line);
        // The first lines are good, so that a look at the file's head shows what it is.
        if line >= 20 && dice.below(DAMAGED_ONE_IN) == 0 {
            sample.extend(damaged(&mut dice, order));
        } else {
            sample.extend(order.text().into_bytes());
        }
        sample.push(b'\n');
    }
    sample
}

/// One order as a shop would send it.
struct Order {
    id: u64,
    shop: &'static str,
    sku: String,
    qty: u64,
    cents: i64,
    /// A file that belongs to the order.
    label: Option<&'static str>,
}

impl Order {
    fn draw(dice: &mut Dice, line: u64) -> Self {
        let qty = 1 + dice.below(9);
        let goods = dice.pick(GOODS);
        Self {
            id: 100_000 + line,
            shop: dice.pick(SHOPS),
            sku: format!("{goods}-{:03}", dice.below(1_000)),
            qty,
            cents: i64::try_from(qty * (199 + dice.below(5_000))).unwrap_or(i64::MAX),
            label: (dice.below(2_000) == 0).then_some("labels/fragile.txt"),
        }
    }

    fn text(&self) -> String {
        let Self {
            id,
            shop,
            sku,
            qty,
            cents,
            label,
        } = self;
        let mut text =
            format!(r#"{{"id":{id},"shop":"{shop}","sku":"{sku}","qty":{qty},"cents":{cents}"#);
        if let Some(label) = label {
            // Writing to a string cannot fail.
            let _ = write!(text, r#","label":"{label}""#);
        }
        text.push('}');
        text
    }
}

/// The order as it looks after an accident. The rare accidents come first.
fn damaged(dice: &mut Dice, mut order: Order) -> Vec<u8> {
    let text = order.text();
    let damaged = match dice.below(100) {
        // Poison: well-formed, and more than the pricing routine can bear.
        0 => {
            order.qty = 0;
            order.text()
        }
        1 => {
            order.sku = "X".to_owned();
            order.text()
        }
        2..=5 => {
            order.label = Some("labels/lost.txt");
            order.text()
        }
        6 => text.replace(
            "\"shop\":",
            &format!("\"note\":\"{}\",\"shop\":", "z".repeat(5_000)),
        ),
        7..=14 => {
            // A letter in Latin-1 is not UTF-8.
            let latin_1 = |byte| if byte == b'?' { 0xF6 } else { byte };
            let text = text.replace(order.shop, "Malm?");
            return text.bytes().map(latin_1).collect();
        }
        15..=19 => String::new(),
        20..=34 => text[..text.len() / 2].to_owned(),
        35..=44 => text.replace("{\"id\":", "id="),
        45..=59 => text.replace("\"cents\":", "\"cent\":"),
        60..=69 => text.replace("\"qty\":", "\"qty\":\"some\",\"was\":"),
        70..=84 => {
            order.cents = -order.cents;
            order.text()
        }
        _ => {
            // Sent twice: an order near the beginning has this number already.
            order.id = 100_000 + dice.below(20);
            order.text()
        }
    };
    damaged.into_bytes()
}

/// `SplitMix64`: good enough for a sample, and the same everywhere and for ever.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, sides: u64) -> u64 {
        self.roll() % sides
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        // The remainder is below the length, which is a usize.
        from[self.below(from.len() as u64) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
        assert_eq!(generate(1, 500), generate(1, 500));
        assert_ne!(generate(1, 500), generate(2, 500));
    }

    #[test]
    fn the_committed_sample_is_what_the_generator_makes() {
        let path = workspace::root().expect("a root").join(PATH);
        assert!(fs::read(path).expect("the sample") == expected());
    }
}
