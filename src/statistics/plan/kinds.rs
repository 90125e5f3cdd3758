//! What each column of the main file is needed as, so that reading it once is enough.

use super::{Adjustment, DesignPlan, EstimatorPlan, Margin, Plan};
use crate::statistics::data::ColumnKind;

impl Plan {
    /// [`Plan::columns`] with what each is read as. A column that is used in two ways, or in a way that looks at its
    /// text, stays text.
    pub fn column_kinds(&self) -> Vec<(String, ColumnKind)> {
        let (categories, numbers) = (self.category_columns(), self.number_columns());
        let text = self.text_columns();
        let kind = |name: &String| match (text.contains(name), categories.contains(name), numbers.contains(name)) {
            (false, true, false) => ColumnKind::Categories,
            (false, false, true) => ColumnKind::Numbers,
            _ => ColumnKind::Text,
        };
        self.columns().into_iter().map(|name| (name.clone(), kind(&name))).collect()
    }

    fn category_columns(&self) -> Vec<String> {
        let mut names: Vec<String> = self.filters.iter().map(|filter| filter.column.clone()).collect();
        if let Some(DesignPlan::Stages(stages)) = &self.design {
            names.extend(stages.stages.iter().flat_map(|stage| stage.unit.iter().chain(&stage.stratum.0).cloned()));
        }
        let of = |margins: &[Margin]| margins.iter().flat_map(|margin| margin.by.0.clone()).collect::<Vec<_>>();
        for adjustment in &self.adjustments {
            names.extend(match adjustment {
                Adjustment::Rake(step) => of(&step.margins),
                Adjustment::Calibrate(step) => of(&step.margins),
                Adjustment::Poststratify(step) => step.by.0.clone(),
                _ => Vec::new(),
            });
        }
        names.extend(self.moment().iter().flat_map(|moment| moment.by.0.clone()));
        names
    }

    fn number_columns(&self) -> Vec<String> {
        let mut names = Vec::new();
        if let Some(DesignPlan::Stages(stages)) = &self.design {
            names.extend(stages.weight.iter().cloned());
            names.extend(stages.stages.iter().filter_map(|stage| stage.population_units.clone()));
        }
        for adjustment in &self.adjustments {
            if let Adjustment::Calibrate(step) = adjustment {
                names.extend(step.numeric_totals.iter().map(|total| total.variable.clone()));
            }
        }
        names.extend(self.moment().map(|moment| moment.variable.clone()));
        names
    }

    /// Columns of parts that are not sorted out above.
    fn text_columns(&self) -> Vec<String> {
        let mut names: Vec<String> = self.pre_adjustments.iter().flat_map(super::PreAdjustment::columns).collect();
        names.extend(self.data.iter().filter_map(|data| data.id.clone()));
        names.extend(self.variance.replicates.iter().filter_map(|r| r.multipliers_key.clone()));
        if self.moment().is_none() {
            names.extend(self.estimator.iter().flat_map(EstimatorPlan::columns));
        }
        names
    }

    fn moment(&self) -> Option<&super::Moment> {
        match &self.estimator {
            Some(EstimatorPlan::Proportion(m) | EstimatorPlan::Mean(m) | EstimatorPlan::Total(m)) => Some(m),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_read_as_what_it_is_needed_for() {
        let plan = Plan::from_json(
            r#"{"data":{"file":"a.csv"},"where":[{"column":"y","op":"==","value":1}],
            "design":{"kind":"stages","stages":[{"unit":"psu","stratum":["h"],"population_units":"N"}],"weight":"w"},
            "adjustments":[{"type":"rake","margins":[{"by":["sex"],"cells":[{"sex":"F","total":1}]}]}],
            "estimator":{"type":"proportion","variable":"y","by":["h"],"ci":null}}"#,
        )
        .expect("a plan");
        let kind = |name: &str| plan.column_kinds().into_iter().find(|(have, _)| have == name).map(|(_, kind)| kind);
        for (name, want) in [
            ("h", ColumnKind::Categories),
            ("psu", ColumnKind::Categories),
            ("sex", ColumnKind::Categories),
            ("N", ColumnKind::Numbers),
            ("w", ColumnKind::Numbers),
            ("y", ColumnKind::Text),
        ] {
            assert_eq!(kind(name), Some(want), "{name}");
        }
    }
}
