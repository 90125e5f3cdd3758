//! Random tables: districts, groups, their crossings, key groups, and what an earlier release of the survey showed.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha12Rng;
use scilit::disclosure::{Block, Cell, Decision, Lattice, Line, Quantity, Reason, Rules};

pub struct City {
    pub seed: u64,
    pub lattice: Lattice,
}

impl City {
    /// Respondents of the cells that are withheld for others.
    pub fn loss(&self, decisions: &[Decision]) -> u64 {
        let besides = |of: &Decision| *of == Decision::Withheld(Reason::Complementary);
        self.lattice.cells.iter().zip(decisions).filter(|(_, of)| besides(of)).map(|(cell, _)| cell.n).sum()
    }
}

/// Counts of a cell: all and literate, at two times.
#[derive(Clone, Copy, Default)]
struct Counts {
    n: u64,
    literate: u64,
    weight: u64,
    literate_weight: u64,
    before: [u64; 4],
}

impl Counts {
    fn add(self, other: Self) -> Self {
        let before = std::array::from_fn(|at| self.before[at] + other.before[at]);
        Self {
            n: self.n + other.n,
            literate: self.literate + other.literate,
            weight: self.weight + other.weight,
            literate_weight: self.literate_weight + other.literate_weight,
            before,
        }
    }

    fn sum(of: impl Iterator<Item = Self>) -> Self {
        of.fold(Self::default(), Self::add)
    }
}

struct Make {
    random: ChaCha12Rng,
    shown_before: bool,
    lattice: Lattice,
}

impl Make {
    fn people(&mut self, n: u64) -> Counts {
        let share = self.random.random_range(0.02..0.5);
        let mut counts = Counts::default();
        for _ in 0..n {
            let weight = self.random.random_range(500..3000);
            let literate = self.random.random_bool(share);
            let before = self.shown_before && self.random.random_bool(0.9);
            let one = |flag: bool| u64::from(flag);
            counts = counts.add(Counts {
                n: 1,
                literate: one(literate),
                weight,
                literate_weight: weight * one(literate),
                before: [one(before), one(before && literate), weight * one(before), weight * one(before && literate)],
            });
        }
        counts
    }

    fn cell(&mut self, key: String, counts: Counts, implied: bool) -> usize {
        let rules = Rules::default();
        let [n, literate, weight, literate_weight] = counts.before;
        let mut cell = Cell {
            key,
            n: counts.n,
            literate: counts.literate,
            weight: counts.weight as f64,
            literate_weight: counts.literate_weight as f64,
            unit_share: 0.3,
            relative_error: Some(0.1),
            implied,
            ..Cell::default()
        };
        let side = literate.min(n - literate);
        if self.shown_before && !implied && n >= rules.base_min && side >= rules.side_min {
            cell.compare([n, literate], [weight as f64, literate_weight as f64]);
        }
        self.lattice.cells.push(cell);
        self.lattice.cells.len() - 1
    }
}

/// A city with one group variable and a key group; every fifth has no earlier release of the same survey.
pub fn draw(seed: u64) -> City {
    let mut random = ChaCha12Rng::seed_from_u64(seed);
    let (districts, groups) = (random.random_range(3..8), random.random_range(2..6));
    let base = [25, 40, 60, 120, 250][random.random_range(0..5)];
    make(seed, random, [districts, groups], base, !seed.is_multiple_of(5))
}

/// A city small enough to try every choice.
pub fn small(seed: u64) -> City {
    make(seed, ChaCha12Rng::seed_from_u64(seed ^ 0xabcd), [3, 3], 45, false)
}

pub fn large(districts: usize, groups: usize, base: u64) -> City {
    make(1, ChaCha12Rng::seed_from_u64(districts as u64 + base), [districts, groups], base, false)
}

fn make(seed: u64, random: ChaCha12Rng, [districts, groups]: [usize; 2], base: u64, shown_before: bool) -> City {
    let mut make = Make { random, shown_before, lattice: Lattice::default() };
    let mut inner = Vec::new();
    for _ in 0..districts * groups {
        let few = make.random.random_bool(0.12);
        let n = if few { make.random.random_range(0..12) } else { make.random.random_range(base / 2..base * 2) };
        let people = make.people(n);
        inner.push(people);
    }
    let of = |d: usize, g: usize| inner[d * groups + g];
    let whole = make.cell("city".to_owned(), Counts::sum(inner.iter().copied()), false);
    let rows: Vec<usize> = (0..districts)
        .map(|d| make.cell(format!("district/{d}"), Counts::sum((0..groups).map(|g| of(d, g))), false))
        .collect();
    let columns: Vec<usize> = (0..groups)
        .map(|g| make.cell(format!("group/{g}"), Counts::sum((0..districts).map(|d| of(d, g))), false))
        .collect();
    let cells: Vec<usize> = (0..districts * groups)
        .map(|at| make.cell(format!("crossing/{}/{}", at / groups, at % groups), inner[at], false))
        .collect();
    let first = Block {
        cells: rows.iter().chain(&columns).copied().collect(),
        lines: vec![Line { parent: whole, children: rows.clone() }, Line { parent: whole, children: columns.clone() }],
    };
    let across = rows.iter().enumerate();
    let across = across.map(|(d, &parent)| Line { parent, children: cells[d * groups..(d + 1) * groups].to_vec() });
    let down = columns.iter().enumerate();
    let down =
        down.map(|(g, &parent)| Line { parent, children: (0..districts).map(|d| cells[d * groups + g]).collect() });
    let second = Block { cells: cells.clone(), lines: across.chain(down).collect() };
    make.lattice.blocks = vec![first, second];
    City { seed, lattice: make.lattice }
}

/// The loss of the cheapest protecting choice of the crossing, by trying every one; none where the margins need something
/// themselves, or where nothing protects fully.
pub fn cheapest_by_trying(city: &City, rules: &Rules) -> Option<u64> {
    let Lattice { cells, blocks } = &city.lattice;
    let first: Vec<Decision> = cells.iter().map(|cell| cell.decide(rules)).collect();
    if blocks[0].cells.iter().any(|&at| first[at].is_withheld()) {
        return None;
    }
    let inner = &blocks[1].cells;
    let free: Vec<usize> = inner.iter().copied().filter(|&at| !first[at].is_withheld()).collect();
    let mut best = None;
    for choice in 0..1_u32 << free.len() {
        let taken = |at: usize| free.iter().position(|&of| of == at).is_some_and(|of| choice >> of & 1 == 1);
        let hidden: Vec<usize> =
            inner.iter().copied().filter(|&at| cells[at].n > 0 && (first[at].is_withheld() || taken(at))).collect();
        let loss: u64 = free.iter().filter(|&&at| taken(at)).map(|&at| cells[at].n).sum();
        if best.is_some_and(|best| best <= loss) {
            continue;
        }
        let wide = hidden.iter().all(|&at| {
            Quantity::BOTH
                .iter()
                .all(|quantity| width(city, &hidden, at, *quantity) >= quantity.needed(&cells[at], rules))
        });
        if wide {
            best = Some(loss);
        }
    }
    best
}

/// The width of a cell's range: the most it can rise and the most it can fall, each a flow of greatest size from the
/// cell's column to its row through the other hidden cells (Ford and Fulkerson), which the protection does not use.
fn width(city: &City, hidden: &[usize], cell: usize, quantity: Quantity) -> f64 {
    let lines = &city.lattice.blocks[1].lines;
    let ends = |at: usize| -> [usize; 2] {
        let of: Vec<usize> = (0..lines.len()).filter(|&line| lines[line].children.contains(&at)).collect();
        [of[0], of[1]]
    };
    let it = &city.lattice.cells;
    let space = |at: usize| quantity.cap(&it[at]) - quantity.of(&it[at]);
    let [row, column] = ends(cell);
    let flow = |rises: bool| {
        let own = if rises { space(cell) } else { quantity.of(&it[cell]) };
        // An arc from row to column is what a cell can be lowered by, back what it can be raised by, or the reverse.
        let mut arcs = vec![vec![0.0; lines.len()]; lines.len()];
        for &at in hidden.iter().filter(|&&at| at != cell) {
            let [r, c] = ends(at);
            let (down, up) = (quantity.of(&it[at]), space(at).min(1e12));
            (arcs[r][c], arcs[c][r]) = if rises { (down, up) } else { (up, down) };
        }
        let mut total = 0.0;
        while total < own {
            let Some(path) = path(&arcs, row, column) else { break };
            let least = path.windows(2).map(|pair| arcs[pair[0]][pair[1]]).fold(f64::MAX, f64::min);
            for pair in path.windows(2) {
                arcs[pair[0]][pair[1]] -= least;
                arcs[pair[1]][pair[0]] += least;
            }
            total += least;
        }
        total.min(own)
    };
    (flow(true) + flow(false)) * (1.0 + 1e-6)
}

fn path(arcs: &[Vec<f64>], from: usize, to: usize) -> Option<Vec<usize>> {
    let mut came = vec![usize::MAX; arcs.len()];
    came[from] = from;
    let mut open = std::collections::VecDeque::from([from]);
    while let Some(at) = open.pop_front() {
        for next in 0..arcs.len() {
            if arcs[at][next] > 0.5 && came[next] == usize::MAX {
                came[next] = at;
                open.push_back(next);
            }
        }
    }
    if came[to] == usize::MAX {
        return None;
    }
    let mut path = vec![to];
    while *path.last()? != from {
        path.push(came[*path.last()?]);
    }
    path.reverse();
    Some(path)
}
