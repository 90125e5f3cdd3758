//! From the plan's columns to units and strata, with every contradiction refused.

use std::sync::Arc;

use super::{Design, Probabilities, StageUnits, units::units};
use crate::statistics::{
    StatisticsError,
    data::DataTable,
    plan::{DesignPlan, JointForm, PpsDesign, PpsMethod, Stage, StagesDesign},
    weighting::all_positive,
};

/// Binds a design to the rows of a table.
///
/// `zero_weights_allowed` is true where an earlier step gave nonrespondents the weight 0.
///
/// # Errors
/// [`StatisticsError::Design`]: a unit in two strata, a population count below the sample or not constant in its
/// stratum; [`StatisticsError::Cell`]: an absent id, a weight that is not positive and finite.
pub fn build(
    plan: &DesignPlan,
    table: &DataTable,
    joint: Option<&DataTable>,
    zero_weights_allowed: bool,
) -> Result<Design, StatisticsError> {
    if table.rows() == 0 {
        return Err(StatisticsError::design(format!("the table {} has no rows", table.name())));
    }
    match plan {
        DesignPlan::Stages(stages) => staged(stages, table, zero_weights_allowed),
        DesignPlan::Pps(pps) => unequal(pps, table, joint),
        DesignPlan::ReplicateWeights(given) => {
            let weights = weights(table, &given.weight, zero_weights_allowed)?;
            let stage = units(table, &Stage::default(), 0, true, None)?;
            Ok(assemble(table.rows(), vec![stage], Probabilities::None, weights))
        }
    }
}

fn staged(plan: &StagesDesign, table: &DataTable, zero_allowed: bool) -> Result<Design, StatisticsError> {
    if plan.stages.is_empty() {
        return Err(StatisticsError::plan("design.stages", "a design has at least one stage"));
    }
    let mut stages: Vec<StageUnits> = Vec::new();
    for (at, stage) in plan.stages.iter().enumerate() {
        let parents = stages.last().map(|s| s.unit_of_row.as_slice());
        stages.push(units(table, stage, at, plan.unit_ids_nested_in_stratum || at > 0, parents)?);
    }
    let weights = match &plan.weight {
        Some(column) => weights(table, column, zero_allowed)?,
        None => weights_from_counts(&stages)?,
    };
    // Without a count at a stage its units are ultimate clusters.
    let used = stages.iter().position(|s| !s.has_fpc).map_or(stages.len(), |at| at + 1);
    stages.truncate(used);
    Ok(assemble(table.rows(), stages, Probabilities::None, weights))
}

fn assemble(rows: usize, stages: Vec<StageUnits>, probabilities: Probabilities, weights: Arc<Vec<f64>>) -> Design {
    let leaves = &stages[stages.len() - 1];
    let mut unit_of_leaf = vec![vec![0u32; leaves.units()]; stages.len()];
    for (stage, of_leaf) in stages.iter().zip(&mut unit_of_leaf).take(stages.len() - 1) {
        for (&leaf, &unit) in leaves.unit_of_row.iter().zip(stage.unit_of_row.iter()) {
            of_leaf[leaf as usize] = unit;
        }
    }
    unit_of_leaf[stages.len() - 1] = (0..leaves.units() as u32).collect();
    Design { rows, stages, unit_of_leaf, probabilities, weights }
}

fn weights(table: &DataTable, column: &str, zero_allowed: bool) -> Result<Arc<Vec<f64>>, StatisticsError> {
    let weights = table.numbers(column, "design.weight")?;
    if all_positive(&weights) {
        return Ok(weights);
    }
    let wrong = |w: &f64| !(*w > 0.0 || (zero_allowed && *w == 0.0));
    match weights.iter().position(wrong) {
        None => Ok(weights),
        Some(row) => Err(StatisticsError::Cell {
            column: column.to_owned(),
            row: row + 1,
            reason: if weights[row].is_nan() {
                "the weight is missing".to_owned()
            } else {
                format!("the weight {} is not positive", weights[row])
            },
        }),
    }
}

fn weights_from_counts(stages: &[StageUnits]) -> Result<Arc<Vec<f64>>, StatisticsError> {
    let rows = stages[0].unit_of_row.len();
    let mut weights = vec![1.0; rows];
    for (at, stage) in stages.iter().enumerate() {
        if !stage.has_fpc {
            return Err(StatisticsError::plan(
                format!("design.stages[{at}].population_units"),
                "without a weight column every stage needs its population units",
            ));
        }
        for (weight, &unit) in weights.iter_mut().zip(stage.unit_of_row.iter()) {
            let stratum = &stage.strata[stage.stratum_of_unit[unit as usize] as usize];
            *weight *= stratum.population.unwrap_or(f64::NAN) / stratum.sampled as f64;
        }
    }
    Ok(Arc::new(weights))
}

fn unequal(plan: &PpsDesign, table: &DataTable, joint: Option<&DataTable>) -> Result<Design, StatisticsError> {
    let chances = table.numbers(&plan.inclusion_probability, "design.inclusion_probability")?;
    if let Some(row) = chances.iter().position(|p| !(*p > 0.0 && *p <= 1.0)) {
        return Err(StatisticsError::Cell {
            column: plan.inclusion_probability.clone(),
            row: row + 1,
            reason: "an inclusion probability lies above 0 and not above 1".to_owned(),
        });
    }
    let with_joint = matches!(plan.method, PpsMethod::Overton | PpsMethod::Joint);
    if with_joint && (plan.unit.is_some() || !plan.stratum.is_empty()) {
        return Err(StatisticsError::plan(
            "design",
            "joint probabilities are for one stratum whose rows are the units",
        ));
    }
    if plan.form.is_some() && !with_joint {
        return Err(StatisticsError::plan("design.form", "a form needs joint probabilities"));
    }
    let stage = Stage { unit: plan.unit.clone(), stratum: plan.stratum.clone(), population_units: None };
    let units = units(table, &stage, 0, false, None)?;
    let rows = table.rows();
    let yates_grundy = plan.form == Some(JointForm::YatesGrundy);
    let probabilities = match plan.method {
        PpsMethod::WithReplacement => Probabilities::None,
        PpsMethod::Brewer => {
            let mut unsampled = vec![0.0; units.units()];
            units.unit_of_row.iter().zip(chances.iter()).for_each(|(&u, &p)| unsampled[u as usize] = 1.0 - p);
            Probabilities::Brewer(unsampled)
        }
        PpsMethod::Overton => {
            let n = rows as f64;
            let pair = |i: usize, j: usize| (n - 1.0) * chances[i] * chances[j] / (n - (chances[i] + chances[j]) / 2.0);
            Probabilities::Joint { coefficients: coefficients(&chances, pair), yates_grundy }
        }
        PpsMethod::Joint => {
            let matrix = joint_matrix(joint, rows)?;
            Probabilities::Joint { coefficients: coefficients(&chances, |i, j| matrix[i * rows + j]), yates_grundy }
        }
    };
    let weights = Arc::new(chances.iter().map(|p| 1.0 / p).collect());
    Ok(assemble(rows, vec![units], probabilities, weights))
}

/// (pi_ij - pi_i pi_j) / pi_ij, with pi_ii = pi_i.
fn coefficients(chances: &[f64], pair: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    let n = chances.len();
    let mut of = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..n {
            let both = if i == j { chances[i] } else { pair(i, j) };
            of[i * n + j] = (both - chances[i] * chances[j]) / both;
        }
    }
    of
}

fn joint_matrix(joint: Option<&DataTable>, rows: usize) -> Result<Vec<f64>, StatisticsError> {
    let place = "design.joint_probability_file";
    let table = joint.ok_or_else(|| StatisticsError::plan(place, "the method `joint` needs this file"))?;
    if table.rows() != rows || table.column_names().len() != rows {
        return Err(StatisticsError::plan(
            place,
            format!("{} rows and {} columns for {rows} units", table.rows(), table.column_names().len()),
        ));
    }
    let mut matrix = vec![0.0; rows * rows];
    for (j, name) in table.column_names().iter().enumerate() {
        for (i, &value) in table.numbers(name, place)?.iter().enumerate() {
            if !(value > 0.0 && value <= 1.0) {
                let reason = "a joint probability lies above 0 and not above 1".to_owned();
                return Err(StatisticsError::Cell { column: name.clone(), row: i + 1, reason });
            }
            matrix[i * rows + j] = value;
        }
    }
    Ok(matrix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::plan::Columns;

    fn table(csv: &str) -> DataTable {
        DataTable::from_csv("t", csv.as_bytes(), None).expect("a table")
    }

    fn plan(nested: bool, counts: bool) -> DesignPlan {
        DesignPlan::Stages(StagesDesign {
            stages: vec![Stage {
                unit: Some("psu".to_owned()),
                stratum: Columns::one("h"),
                population_units: counts.then(|| "n".to_owned()),
            }],
            weight: Some("w".to_owned()),
            unit_ids_nested_in_stratum: nested,
        })
    }

    fn fault(csv: &str, nested: bool, counts: bool) -> String {
        build(&plan(nested, counts), &table(csv), None, false).expect_err("a fault").to_string()
    }

    #[test]
    fn units_are_numbered_by_stratum_and_id_whatever_the_order_of_rows() {
        let design = build(&plan(true, false), &table("h,psu,w\nb,2,1\na,1,1\nb,1,1\na,1,1\n"), None, false).unwrap();
        assert_eq!(design.psu_of_row(), [2, 0, 1, 0]);
        assert_eq!(design.first().stratum_of_unit, [0, 1, 1]);
        assert_eq!(design.degrees_of_freedom(|_| true), 1.0);
    }

    #[test]
    fn a_unit_in_two_strata_is_refused_unless_ids_are_nested() {
        assert!(fault("h,psu,w\na,1,1\nb,1,1\n", false, false).contains("unit 1 stands in the strata a and b"));
    }

    #[test]
    fn a_population_below_the_sample_is_refused_with_its_stratum() {
        assert!(fault("h,psu,w,n\na,1,1,1\na,2,1,1\n", false, true).contains("stratum a at stage 1: 2 units"));
        assert!(fault("h,psu,w,n\na,1,1,5\na,2,1,6\n", false, true).contains("row 2 of column `n`"));
    }

    #[test]
    fn weights_are_positive_finite_numbers() {
        for wrong in ["0", "-1", "", "NaN", "inf"] {
            let csv = format!("h,psu,w\na,1,1\na,2,{wrong}\n");
            assert!(fault(&csv, false, false).contains("row 2 of column `w`"), "{wrong}");
        }
    }

    #[test]
    fn an_absent_stratum_is_refused() {
        assert!(fault("h,psu,w\na,1,1\n,2,1\n", false, false).contains("row 2 of column `h`"));
    }
}
