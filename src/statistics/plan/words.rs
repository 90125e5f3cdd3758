//! A plan in words, so that a person sees before a run what it will do.

use super::{
    Adjustment, Construct, DesignPlan, Distance, EstimatorPlan, LonelyPolicy, Margin, Plan, PpsMethod, PreAdjustment,
    RakeVariance, Stage, StagesDesign, VarianceMethod,
};

impl Plan {
    /// One sentence a part: data, weights, design, adjustments, variance, domains, estimate.
    pub fn in_words(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(data) = &self.data {
            let sorted = data.id.as_ref().map_or(String::new(), |id| format!(", in the order of {id}"));
            lines.push(format!("Reads {}{sorted}.", data.file));
        }
        lines.extend(self.pre_adjustments.iter().map(before_design));
        lines.extend(self.design.iter().map(design));
        lines.extend(self.adjustments.iter().map(adjustment));
        if let Some(decimals) = self.weight_decimals {
            lines.push(format!("Rounds the weights of every step to {decimals} decimals before they are used."));
        }
        if self.design.is_some() {
            lines.push(self.variance_in_words());
        }
        for filter in &self.filters {
            let value = filter.value.label();
            lines.push(format!("Keeps as a domain the rows where {} {:?} {value}.", filter.column, filter.op));
        }
        lines.extend(self.estimator.iter().map(estimator));
        lines
    }

    fn variance_in_words(&self) -> String {
        let lonely = match self.variance.lonely_psu {
            LonelyPolicy::Fail => "refuses a stratum with a single unit",
            LonelyPolicy::Certainty => "counts a single unit as drawn with certainty",
            LonelyPolicy::Adjust => "centres a single unit at the mean of all units",
            LonelyPolicy::Average => "gives a single unit the average of the other strata",
            LonelyPolicy::Remove => "leaves a single unit out",
        };
        let method = match (self.variance.method, &self.variance.replicates) {
            (VarianceMethod::Taylor, _) => "by Taylor linearization".to_owned(),
            (VarianceMethod::Replicate, None) => "from the replicate weights of the data".to_owned(),
            (VarianceMethod::Replicate, Some(plan)) => match (plan.construct, &plan.multipliers_file) {
                (Some(Construct::Bootstrap), _) => format!(
                    "by {} bootstrap replicates (Rao-Wu, seed {}), each adjusted again",
                    plan.replicates.unwrap_or(0),
                    plan.seed.unwrap_or(0)
                ),
                (Some(construct), _) => format!("by {construct:?} replicates, each adjusted again"),
                (None, Some(file)) => format!("by the multipliers of {file}, each replicate adjusted again"),
                (None, None) => "by replicates that the plan does not name".to_owned(),
            },
        };
        format!("Estimates variances {method}; {lonely}.")
    }
}

fn before_design(step: &PreAdjustment) -> String {
    match step {
        PreAdjustment::BaseWeight(s) => {
            let times = s.multiplier.as_ref().map_or(String::new(), |m| format!(" times {m}"));
            format!("Makes {} = 1 / ({}){times}.", s.result, s.probabilities.join(" × "))
        }
        PreAdjustment::Household(s) => format!("Makes {} = {} × {}.", s.result, s.weight, s.multiplier),
        PreAdjustment::UnknownEligibility(s) => format!(
            "Makes {}: cases with {} = {} hand their {} to the others of their class ({}).",
            s.result,
            s.status,
            s.unknown,
            s.weight,
            s.cells.join(" × ")
        ),
        PreAdjustment::NonresponseClass(s) => {
            let but = s.ineligible.as_ref().map_or(String::new(), |state| format!(" but for those that are {state}"));
            let (status, class) = (&s.status, s.cells.join(" × "));
            format!(
                "Makes {}: cases with {status} = {} carry the {} of their class ({class}){but}.",
                s.result, s.respondent, s.weight
            )
        }
        PreAdjustment::NonresponsePropensity(s) => format!(
            "Makes {} = {} / p, p the modelled chance of {} = {} given {}.",
            s.result,
            s.weight,
            s.status,
            s.respondent,
            s.factors.join(" + ")
        ),
    }
}

fn design(plan: &DesignPlan) -> String {
    match plan {
        DesignPlan::Stages(stages) => staged(stages),
        DesignPlan::Pps(pps) => {
            let method = match pps.method {
                PpsMethod::WithReplacement => "as if with replacement",
                PpsMethod::Brewer => "with Brewer's variance",
                PpsMethod::Overton => "with Overton's joint probabilities",
                PpsMethod::Joint => "with the joint probabilities given",
            };
            format!("Units were drawn with the probability {}, {method}.", pps.inclusion_probability)
        }
        DesignPlan::ReplicateWeights(given) => {
            format!("Takes the weight {} and {} replicates from the data.", given.weight, given.replicate_columns.len())
        }
    }
}

fn staged(plan: &StagesDesign) -> String {
    let stage = |stage: &Stage| {
        let unit = stage.unit.as_deref().unwrap_or("rows");
        let strata = if stage.stratum.is_empty() {
            String::new()
        } else {
            format!(" in strata {}", stage.stratum.0.join(" × "))
        };
        let fpc = stage.population_units.as_ref().map_or(String::new(), |n| format!(" out of {n}"));
        format!("{unit}{strata}{fpc}")
    };
    let stages: Vec<String> = plan.stages.iter().map(stage).collect();
    let weight = plan.weight.as_deref().unwrap_or("the stages' population over sampled units");
    format!("Units were drawn stage by stage: {}; the weight is {weight}.", stages.join(", then "))
}

fn adjustment(step: &Adjustment) -> String {
    let names = |margins: &[Margin]| margins.iter().map(|m| m.by.0.join(" × ")).collect::<Vec<_>>().join(", ");
    match step {
        Adjustment::Poststratify(p) => format!("Post-stratifies to {} cells of {}.", p.cells.len(), p.by.0.join(" × ")),
        Adjustment::Rake(r) => {
            let variance = match r.variance {
                RakeVariance::Sweeps => "R's ten sweeps",
                RakeVariance::Residual => "exact residuals",
            };
            format!("Rakes to {} (variance by {variance}).", names(&r.margins))
        }
        Adjustment::Calibrate(c) => {
            let distance = match c.distance {
                Distance::Linear => "linear",
                Distance::Raking => "raking",
                Distance::Logit => "logit",
            };
            let numbers: Vec<&str> = c.numeric_totals.iter().map(|n| n.variable.as_str()).collect();
            let bounds =
                c.bounds.map_or(String::new(), |[l, u]| format!(", weights between {l} and {u} times the old"));
            let controls: Vec<String> =
                [names(&c.margins), numbers.join(", ")].into_iter().filter(|text| !text.is_empty()).collect();
            format!("Calibrates with the {distance} distance to {}{bounds}.", controls.join(" and totals of "))
        }
        Adjustment::Trim(t) => {
            let bound = |b: Option<f64>| b.map_or("–".to_owned(), |b| b.to_string());
            let how = if t.strict { "until all are inside" } else { "once" };
            format!("Trims weights to [{}, {}] {how}.", bound(t.lower), bound(t.upper))
        }
        Adjustment::Standardize(s) => {
            format!(
                "Standardises {} within {}.",
                s.by.0.join(" × "),
                if s.over.is_empty() { "the sample".to_owned() } else { s.over.0.join(" × ") }
            )
        }
    }
}

fn estimator(plan: &EstimatorPlan) -> String {
    let by = match plan {
        EstimatorPlan::Proportion(m) | EstimatorPlan::Mean(m) | EstimatorPlan::Total(m) => &m.by.0[..],
        EstimatorPlan::Ratio(r) => &r.by.0,
        EstimatorPlan::CategoryShares(s) => &s.by.0,
        EstimatorPlan::Quantile(q) => &q.by.0,
        EstimatorPlan::Contrasts(c) => &c.by.0,
        EstimatorPlan::TTest(t) => &t.by.0,
        EstimatorPlan::PlausibleValues(p) => &p.by.0,
        EstimatorPlan::PresentationFlags(p) => &p.by.0,
        _ => &[],
    };
    let of: Vec<String> = plan.columns().into_iter().filter(|column| !by.contains(column)).collect();
    let by = if by.is_empty() { String::new() } else { format!(" by {}", by.join(" × ")) };
    format!("Estimates {} of {}{by}.", plan.name(), of.join(", "))
}
