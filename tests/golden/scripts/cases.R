# Declares every case (tool-neutral), runs it, writes <set>/cases/<id>.json, <set>/expected.csv, <set>/INDEX.csv
#   Rscript scripts/cases.R ROOT [LIBRARY with survey 4.5] [dry]   ROOT holds golden/data; a dry run prints only
args <- commandArgs(TRUE); root <- if (length(args)) args[1] else ".."
lib <- if (length(args) > 1) args[2] else "system"; dry <- length(args) > 2
if (nzchar(lib) && lib != "system") .libPaths(c(lib, .libPaths())) else invisible()
source(file.path(dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE))), "engine.R"))
CASES <- list(golden = list())
add <- function(set, id, title, data, ...) { x <- list(...); CASES[[set]][[id]] <<- c(list(id = id, title = title, data = if (is.list(data)) data else list(file = data)), x) }
stg <- function(unit = NULL, stratum = NULL, pop = NULL) list(unit = unit, stratum = stratum, population_units = pop)
dsg <- function(..., weight = NULL, nested = FALSE) list(kind = "stages", stages = list(...), weight = weight, unit_ids_nested_in_stratum = nested)
tay <- function(lonely = "fail", adl = FALSE) list(method = "taylor", lonely_psu = lonely, adjust_domain_lonely = adl)
rep_ <- function(construct, mse = FALSE, fay_rho = NULL) list(method = "replicate", lonely_psu = "fail", replicates = Filter(Negate(is.null), list(construct = construct, mse = mse, fay_rho = fay_rho)))
repf <- function(file, key, scale, mse = FALSE) list(method = "replicate", lonely_psu = "fail", replicates = list(multipliers_file = file, multipliers_key = key, scale = scale, mse = mse))
ALLCI <- c("logit","likelihood","asin","beta","mean","xlogit","wilson")
NOLIK <- c("logit","asin","beta","mean","xlogit","wilson")
prop <- function(v, by = NULL, ci = NOLIK, level = .95, deff = FALSE, df = NULL) list(type = "proportion", variable = v, by = by, ci = Filter(Negate(is.null), list(methods = as.list(ci), level = level, df = df)), deff = deff)
mean_ <- function(v, by = NULL, deff = FALSE, level = .95) list(type = "mean", variable = v, by = by, ci = list(methods = list("t"), level = level), deff = deff)
total_ <- function(v, by = NULL, deff = FALSE) list(type = "total", variable = v, by = by, ci = list(methods = list("t"), level = .95), deff = deff)
marg <- function(file, dir, vars) { m <- read.csv(file.path(dir, file), colClasses = c("character","character","numeric"))
  lapply(vars, function(v) { x <- m[m$variable == v, ]; list(by = list(v), cells = lapply(seq_len(nrow(x)), function(i) setNames(list(x$level[i], x$total[i]), c(v, "total")))) }) }
cells <- function(file, dir) { m <- read.csv(file.path(dir, file), check.names = FALSE); lapply(seq_len(nrow(m)), function(i) { l <- as.list(m[i, ]); for (n in setdiff(names(l), "total")) l[[n]] <- as.character(l[[n]]); l }) }
SD <- file.path(root, "golden/data")

## =============================================================== SHARED
S <- function(...) add("golden", ...)
dA2 <- dsg(stg("psu_id", "stratum", "n_psu_district"), stg(NULL, NULL, "psu_size"), weight = "w_design")
dA1 <- dsg(stg("psu_id", "stratum"), weight = "w_design")
dA1f <- dsg(stg("psu_id", "stratum", "n_psu_district"), weight = "w_design")
strat <- dsg(stg(NULL, "stype", "fpc"), weight = "pw"); strat0 <- dsg(stg(NULL, "stype"), weight = "pw")
cl1 <- dsg(stg("dnum", NULL, "fpc"), weight = "pw"); cl1n <- dsg(stg("dnum"), weight = "pw")
cl2 <- dsg(stg("dnum", NULL, "fpc1"), stg("snum", NULL, "fpc2"))
cl2w <- dsg(stg("dnum"), weight = "pw")

S("S01", "Stratified sample, FPC: proportion with every CI method, 95%", "apistrat.csv", design = strat, variance = tay(), estimator = prop("awards_yes", ci = ALLCI, deff = TRUE))
S("S02", "Same, without FPC, 90% level", "apistrat.csv", design = strat0, variance = tay(), estimator = prop("awards_yes", ci = ALLCI, level = .90, deff = TRUE))
S("S03", "Stratified: means by planned domain (stype), deff", "apistrat.csv", design = strat, variance = tay(), estimator = mean_("api00", by = list("stype"), deff = TRUE))
S("S04", "Stratified: proportions in unplanned domains crossing strata", "apistrat.csv", design = strat, variance = tay(), estimator = prop("sch_wide_yes", by = list("awards"), ci = ALLCI, deff = TRUE))
S("S05", "One-stage cluster sample, FPC: rare proportion, every CI method", "apiclus1.csv", design = cl1, variance = tay(), estimator = prop("ell0", ci = ALLCI, deff = TRUE))
S("S06", "One-stage cluster sample, no FPC: mean, total, deff", "apiclus1.csv", design = cl1n, variance = tay(), estimator = total_("enroll", deff = TRUE))
S("S07", "Two-stage cluster sample, FPC at both stages, weights from the stage counts", "apiclus2.csv", design = cl2, variance = tay(), estimator = mean_("api00", deff = TRUE))
S("S08", "Two-stage cluster sample, proportion by school type", "apiclus2.csv", design = cl2, variance = tay(), estimator = prop("awards_yes", by = list("stype"), ci = NOLIK))
S("S09", "Two-stage sample treated as ultimate clusters (with-replacement first stage)", "apiclus2.csv", design = cl2w, variance = tay(), estimator = mean_("api00", deff = TRUE))
S("S10", "Literacy survey A: national share, two-stage with FPC at both stages, every CI method", "litA.csv", design = dA2, variance = tay(), estimator = prop("literate", ci = ALLCI, deff = TRUE))
S("S11", "Literacy survey A: share per district (36), ultimate-cluster variance", "litA.csv", design = dA1, variance = tay(), estimator = prop("literate", by = list("district"), ci = NOLIK, deff = TRUE))
S("S12", "Literacy survey A: share per district, FPC at both stages", "litA.csv", design = dA2, variance = tay(), estimator = prop("literate", by = list("district"), ci = c("logit","beta","mean")))
S("S13", "Literacy survey A: share per district x sex (72 cells)", "litA.csv", design = dA1, variance = tay(), estimator = prop("literate", by = list("district","sex"), ci = c("logit","beta","wilson","mean")))
S("S14", "Literacy survey A: share per region x age group x education (unplanned cells)", "litA.csv", design = dA1f, variance = tay(), estimator = prop("literate", by = list("region","age","edu"), ci = c("logit","beta","wilson")))
S("S15", "Literacy survey A: mean score per occupation, FPC at both stages", "litA.csv", design = dA2, variance = tay(), estimator = mean_("score", by = list("occ"), deff = TRUE))
S("S16", "Literacy survey A: shares of education categories per region (one covariance block per region)", "litA.csv", design = dA1, variance = tay(), estimator = list(type = "category_shares", variable = "edu", by = list("region")))
S("S17", "Literacy survey A: item non-response treated as a domain (rows with empty literate_na leave the estimate, stay in the design)", "litA.csv", design = dA1, variance = tay(), estimator = prop("literate_na", by = list("region"), ci = NOLIK))
S("S18", "Ratio: score points per point of pv1 by urban", "litA.csv", design = dA1, variance = tay(), estimator = list(type = "ratio", numerator = "score", denominator = "pv1", by = list("urban")))
for (o in c("remove","adjust","average","certainty")) S(sprintf("S19_%s", o), sprintf("Lonely PSU: %s (mean, whole sample and total)", o), "lonely.csv", design = dsg(stg("psu", "stratum"), weight = "weight", nested = TRUE), variance = tay(o), estimator = mean_("score"))
S("S19_fail", "Lonely PSU: fail - the engine must refuse", "lonely.csv", design = dsg(stg("psu", "stratum"), weight = "weight", nested = TRUE), variance = tay("fail"), estimator = mean_("score"), expect_error = TRUE)
S("S19_adjust_total", "Lonely PSU: adjust, total", "lonely.csv", design = dsg(stg("psu", "stratum"), weight = "weight", nested = TRUE), variance = tay("adjust"), estimator = total_("literate"))
S("S19_fpc_certainty", "Lonely PSU in a self-representing stratum (population of one PSU): contributes zero under FPC", "lonely.csv", design = dsg(stg("psu", "stratum", "n_psu_pop"), weight = "weight", nested = TRUE), variance = tay("adjust"), estimator = mean_("score"))
S("S19_domain", "Lonely PSU inside a domain, domain adjustment on", "lonely.csv", design = dsg(stg("psu", "stratum"), weight = "weight", nested = TRUE), variance = tay("adjust", TRUE), estimator = mean_("score", by = list("group")))
S("S20", "JK1 replicates, no FPC", "apiclus1.csv", design = cl1n, variance = rep_("JK1"), estimator = prop("awards_yes", ci = NOLIK, deff = TRUE))
S("S21", "JK1 replicates with FPC, MSE centring", "apiclus1.csv", design = cl1, variance = rep_("JK1", mse = TRUE), estimator = mean_("api00", by = list("stype")))
S("S22", "JKn replicates, literacy survey A, per region", "litA.csv", design = dA1, variance = rep_("JKn"), estimator = prop("literate", by = list("region"), ci = NOLIK))
S("S23", "JKn replicates with first-stage FPC, per district", "litA.csv", design = dA1f, variance = rep_("JKn"), estimator = prop("literate", by = list("district"), ci = c("xlogit","mean")))
S("S24", "BRR: total (any fully balanced Hadamard matrix gives this number)", "paired8.csv", design = dsg(stg("psu_id", "stratum"), weight = "weight"), variance = rep_("BRR"), estimator = total_("literate"))
S("S25", "BRR replicate columns supplied (scd), scale 1/R", "scd.csv", design = list(kind = "replicate_weights", weight = "wt", replicate_columns = as.list(paste0("rep", 1:4)), replicates_include_base_weight = FALSE, type = "BRR", mse = FALSE), variance = list(method = "replicate"), estimator = list(type = "ratio", numerator = "alive", denominator = "arrests", by = NULL))
S("S26", "Fay rho=0.3: total", "paired8.csv", design = dsg(stg("psu_id", "stratum"), weight = "weight"), variance = rep_("Fay", fay_rho = .3), estimator = total_("score"))
S("S27", "Bootstrap (Rao-Wu n-1, PSU multipliers supplied, 100 replicates), share per region", "litA.csv", design = dA1, variance = repf("litA_boot100.csv", "psu_id", 1/99), estimator = prop("literate", by = list("region"), ci = c("xlogit","mean","beta","wilson")))
S("S28", "Bootstrap multipliers supplied, MSE centring, mean score", "litA.csv", design = dA1, variance = repf("litA_boot100.csv", "psu_id", 1/100, TRUE), estimator = mean_("score", by = list("sex")))
S("S29", "Post-stratification to sex x age, Taylor variance from post-stratum residuals", "litA.csv", design = dA1, variance = tay(), adjustments = list(list(type = "poststratify", by = list("sex","age"), cells = cells("litA_sexage.csv", SD))), estimator = prop("literate", by = list("region"), ci = c("xlogit","mean","wilson"), deff = TRUE), expect_weights = TRUE)
m4 <- marg("litA_margins.csv", SD, c("sex","age","edu","urban")); m5 <- marg("litA_margins.csv", SD, c("sex","age","edu","urban","district"))
S("S30", "Raking (IPF) to 4 margins, tight tolerance: weights, shares; variance by 10 sweeps of margin-mean removal (R's rake rule)", "litA.csv", design = dA1, variance = tay(), adjustments = list(list(type = "rake", margins = m4, epsilon_relative_to_sum_of_weights = 1e-12, max_iterations = 500)), estimator = prop("literate", by = list("region"), ci = c("xlogit","mean")), expect_weights = TRUE)
S("S31", "Raking distance by calibration to the same 4 margins: same weights, exact residual variance", "litA.csv", design = dA1, variance = tay(), adjustments = list(list(type = "calibrate", distance = "raking", margins = m4)), estimator = prop("literate", by = list("region"), ci = c("xlogit","mean")), expect_weights = TRUE)
S("S32", "Raking to 5 margins incl. 36 districts, shares per district", "litA.csv", design = dA1, variance = tay(), adjustments = list(list(type = "calibrate", distance = "raking", margins = m5)), estimator = prop("literate", by = list("district"), ci = c("xlogit","mean")), expect_weights = TRUE)
S("S33", "Linear (GREG) calibration, unbounded", "litA.csv", design = dA1, variance = tay(), adjustments = list(list(type = "calibrate", distance = "linear", margins = m5)), estimator = prop("literate", by = list("region"), ci = c("xlogit","mean")), expect_weights = TRUE)
S("S34", "Linear calibration with bounds 0.7..1.4 (truncated)", "litA.csv", design = dA1, variance = tay(), adjustments = list(list(type = "calibrate", distance = "linear", bounds = list(.7, 1.4), margins = m4)), estimator = prop("literate", by = list("region"), ci = c("xlogit","mean")), expect_weights = TRUE)
S("S35", "Logit calibration with bounds 0.6..1.6", "litA.csv", design = dA1, variance = tay(), adjustments = list(list(type = "calibrate", distance = "logit", bounds = list(.6, 1.6), margins = m4)), estimator = prop("literate", by = list("region"), ci = c("xlogit","mean")), expect_weights = TRUE)
S("S36", "Linear calibration with a numeric total (api99) and a margin, stratified", "apistrat.csv", design = strat, variance = tay(), adjustments = list(list(type = "calibrate", distance = "linear", margins = list(list(by = list("stype"), cells = list(list(stype = "E", total = 4421), list(stype = "H", total = 755), list(stype = "M", total = 1018)))), numeric_totals = list(list(variable = "api99", total = 3914069)))), estimator = mean_("api00"))
S("S37", "JKn with every replicate re-raked to 4 margins", "litA.csv", design = dA1, variance = rep_("JKn"), adjustments = list(list(type = "calibrate", distance = "raking", margins = m4)), estimator = prop("literate", by = list("region"), ci = c("xlogit","mean"), df = 180))
S("S38", "Bootstrap multipliers supplied, every replicate re-raked", "litA.csv", design = dA1, variance = repf("litA_boot100.csv", "psu_id", 1/99), adjustments = list(list(type = "calibrate", distance = "raking", margins = m4)), estimator = prop("literate", by = list("region","sex"), ci = c("xlogit","mean")))
S("S39", "Trimming to [25, 90], excess shared equally among untrimmed, one pass", "litA.csv", design = dA1, variance = tay(), adjustments = list(list(type = "trim", lower = 25, upper = 90, strict = FALSE)), estimator = prop("literate", by = list("region"), ci = c("xlogit","mean")), expect_weights = TRUE)
S("S40", "Trimming to [25, 80], strict (repeated until inside)", "litA.csv", design = dA1, variance = tay(), adjustments = list(list(type = "trim", lower = 25, upper = 80, strict = TRUE)), estimator = prop("literate", by = list("region"), ci = c("xlogit","mean")), expect_weights = TRUE)
S("S41", "Non-response: weighting classes urban x age, then estimate on respondents", "litA_nr.csv", pre_adjustments = list(list(type = "nonresponse_class", weight = "w_design", status = "status", respondent = "respondent", cells = list("urban","age"), result = "w_nr", drop_nonrespondents = TRUE)), design = dsg(stg("psu_id","stratum"), weight = "w_nr"), variance = tay(), estimator = prop("literate", by = list("region"), ci = c("xlogit","mean")))
S("S42", "Non-response: inverse logistic propensity (weighted logit on sex, age, edu, urban)", "litA_nr.csv", pre_adjustments = list(list(type = "nonresponse_propensity", weight = "w_design", status = "status", respondent = "respondent", factors = list("sex","age","edu","urban"), result = "w_nr", drop_nonrespondents = TRUE)), design = dsg(stg("psu_id","stratum"), weight = "w_nr"), variance = tay(), estimator = prop("literate", by = list("region"), ci = c("xlogit","mean")))
S("S43", "Contrasts between regions: differences, ratio, log odds ratio, with the covariance matrix", "litA.csv", design = dA1, variance = tay(), estimator = list(type = "contrasts", variable = "literate", by = list("region"), contrasts = list(
  list(name = "north - south", kind = "linear", coefficients = list(list(key = "north", coefficient = 1), list(key = "south", coefficient = -1))),
  list(name = "centre - mean(north, south)", kind = "linear", coefficients = list(list(key = "centre", coefficient = 1), list(key = "north", coefficient = -.5), list(key = "south", coefficient = -.5))),
  list(name = "north / south", kind = "expression", expression = "{north}/{south}"), list(name = "log odds ratio north : south", kind = "expression", expression = "log({north}/(1-{north})) - log({south}/(1-{south}))"))))
S("S44", "Contrasts between sexes inside the same PSUs (positive covariance)", "litA.csv", design = dA1, variance = tay(), estimator = list(type = "contrasts", variable = "literate", by = list("sex"), contrasts = list(list(name = "M - F", kind = "linear", coefficients = list(list(key = "M", coefficient = 1), list(key = "F", coefficient = -1))), list(name = "M / F", kind = "expression", expression = "{M}/{F}"))))
S("S45", "Change between two waves with 2/3 of the PSUs in common (stacked file, PSU ids shared across waves)", "litW.csv", design = dsg(stg("psu_id", "stratum"), weight = "w_design"), variance = tay(), estimator = list(type = "contrasts", variable = "literate", by = list("wave"), contrasts = list(list(name = "2025 - 2023", kind = "linear", coefficients = list(list(key = "2025", coefficient = 1), list(key = "2023", coefficient = -1))))))
S("S46", "Change between waves treated as independent (strata = wave x region)", "litW.csv", design = dsg(stg("psu_id", list("wave","stratum")), weight = "w_design", nested = TRUE), variance = tay(), estimator = list(type = "contrasts", variable = "literate", by = list("wave"), contrasts = list(list(name = "2025 - 2023", kind = "linear", coefficients = list(list(key = "2025", coefficient = 1), list(key = "2023", coefficient = -1))))))
S("S47", "Tests of independence: literate x edu", "litA.csv", design = dA1, variance = tay(), estimator = list(type = "independence_test", variables = list("literate","edu"), statistics = c("F","Chisq","Wald","adjWald","lincom","saddlepoint")))
S("S47b", "Tests of independence, weak association: literate x sex", "litA.csv", design = dA1, variance = tay(), estimator = list(type = "independence_test", variables = list("sex","literate"), statistics = c("F","Chisq","Wald","adjWald","lincom","saddlepoint")))
S("S48", "Two-sample design-based t test per region", "litA.csv", design = dA1, variance = tay(), estimator = list(type = "t_test", variable = "score", group = "sex", by = list("region")))
S("S49", "Quantiles of score: three inversion rules and interval types", "litA.csv", design = dA1, variance = tay(), estimator = list(type = "quantile", variable = "score", by = list("region"), probabilities = c(.1,.25,.5,.75,.9), rules = list(list(qrule = "math", interval = "mean"), list(qrule = "school", interval = "beta"), list(qrule = "hf7", interval = "xlogit"))))
S("S50", "Logistic regression, design-based covariance, Wald tests", "litA.csv", design = dA1, variance = tay(), estimator = list(type = "glm", family = "binomial", variable = "literate", terms = list(list(factor = "sex"), list(factor = "age"), list(factor = "edu"), list(numeric = "urban"))))
S("S51", "Direct standardisation to national age structure, share per district", "litA.csv", design = dA1, variance = tay(), adjustments = list(list(type = "standardize", by = list("age"), over = list("district"), standard = { a <- marg("litA_margins.csv", SD, "age")[[1]]$cells; t <- sum(sapply(a, `[[`, "total")); lapply(a, function(x) list(age = x$age, share = x$total / t)) })), estimator = prop("literate", by = list("district"), ci = c("xlogit","mean")))
S("S52", "Five plausible values, share over threshold 60, Rubin combination", "litA.csv", design = dA1, variance = tay(), estimator = list(type = "plausible_values", variables = as.list(paste0("pv", 1:5)), threshold = 60, by = list("region")))
S("S53", "NCHS presentation rule per district x age", "litA.csv", design = dA1, variance = tay(), estimator = list(type = "presentation_flags", variable = "literate", by = list("district","age")))
S("S54", "Weighted counts: district x literate", "litA.csv", design = dA1, variance = tay(), estimator = list(type = "cross_table", variables = list("district","literate")))
S("S55", "Fay-Herriot, REML, two covariates, 36 districts", "litA_fh.csv", estimator = list(type = "fay_herriot", area = "district", direct = "direct", variance = "vardir", covariates = list("tertiary","urban_share"), method = "REML"))
S("S56", "Fay-Herriot, ML", "litA_fh.csv", estimator = list(type = "fay_herriot", area = "district", direct = "direct", variance = "vardir", covariates = list("tertiary","urban_share"), method = "ML"))
S("S57", "Special functions the intervals rest on (t, beta, F, chi-squared, normal)", "special_functions.csv", estimator = list(type = "special_functions"))
S("S58", "Poststratified JK1: each replicate re-post-stratified", "apiclus1.csv", design = cl1, variance = rep_("JK1"), adjustments = list(list(type = "poststratify", by = list("stype"), cells = list(list(stype = "E", total = 4421), list(stype = "H", total = 755), list(stype = "M", total = 1018)))), estimator = mean_("api00"))

S("S59", "A control for a level that is not in the sample (edu = doctorate): the engine must refuse", "litA.csv", design = dA1, variance = tay(), adjustments = list(list(type = "rake", margins = { m <- m4[1:3]; m[[3]]$cells <- c(m[[3]]$cells, list(list(edu = "doctorate", total = 900))); m }, epsilon_relative_to_sum_of_weights = 1e-12, max_iterations = 500)), estimator = prop("literate", ci = "mean"), expect_error = TRUE)
S("S60", "Bounds 0.97..1.03 cannot meet the margins: the engine must refuse (no weights outside the bounds, no silent partial fit)", "litA.csv", design = dA1, variance = tay(), adjustments = list(list(type = "calibrate", distance = "logit", bounds = list(.97, 1.03), margins = m4)), estimator = prop("literate", ci = "mean"), expect_error = TRUE)

## ---- run
flat <- function(id, x) { o <- list()
  for (r in x$rows) { key <- paste(vapply(names(r$domain), function(n) paste0(n, "=", r$domain[[n]]), ""), collapse = ";")
    for (n in setdiff(names(r), c("domain","note"))) { v <- r[[n]]
      if (n == "ci") { for (m in names(v)) o[[length(o)+1]] <- data.frame(case = id, domain = key, quantity = paste0("ci_", m, c("_low","_high")), value = v[[m]]) }
      else if (is.list(v)) { for (i in seq_along(v)) o[[length(o)+1]] <- data.frame(case = id, domain = key, quantity = paste0(n, i), value = as.numeric(v[[i]])) }
      else { v <- as.numeric(v); if (all(is.finite(v))) o[[length(o)+1]] <- data.frame(case = id, domain = key, quantity = if (length(v) > 1) paste0(n, seq_along(v)) else n, value = v) } } }
  do.call(rbind, o) }
ver <- list(R = paste(R.version$major, R.version$minor, sep = "."), survey = as.character(packageVersion("survey")), sae = tryCatch(as.character(packageVersion("sae")), error = function(e) NA))
fin <- list(); idx <- list()
for (set in names(CASES)) { dir <- file.path(root, set, "data"); ex <- list(); ix <- list()
  for (sp in CASES[[set]]) {
    t0 <- proc.time()[[3]]
    r <- tryCatch(run_case(sp, dir), error = function(e) list(.error = conditionMessage(e)))
    if (!is.null(r$.error)) { if (isTRUE(sp$expect_error)) { r <- list(error = TRUE, r_message = r$.error) } else { cat("FAIL", sp$id, r$.error, "\n"); next } } else if (isTRUE(sp$expect_error)) { cat("EXPECTED AN ERROR", sp$id, "\n") }
    w <- r$.weights; r$.weights <- NULL
    if (!is.null(w)) { r$weights_file <- sprintf("cases/%s_weights.csv", sp$id); if (!dry) write.csv(data.frame(row = seq_along(w), weight = format(w, digits = 15, trim = TRUE)), file.path(root, set, r$weights_file), row.names = FALSE, quote = FALSE) }
    if (length(r$rows)) { f <- flat(sp$id, r); ex[[sp$id]] <- f; if (!is.null(w)) ex[[paste0(sp$id, "w")]] <- data.frame(case = sp$id, domain = c("weights:sum","weights:sumsq"), quantity = "value", value = c(sum(w), sum(w^2))) }
    ix[[sp$id]] <- data.frame(id = sp$id, title = sp$title, data = sp$data$file, estimator = sp$estimator$type, rows = length(r$rows), numbers = if (length(r$rows)) nrow(f) else 1L)
    if (!dry) writeLines(toJSON(list(case = sp, expected = r, tolerance = list(relative = if (sp$estimator$type == "special_functions") 1e-9 else 1e-7, likelihood_interval = 5e-3, iterative_models = 1e-6), produced_by = ver), auto_unbox = TRUE, digits = NA, pretty = 2, null = "null", na = "null"), file.path(root, set, "cases", paste0(sp$id, ".json")))
    cat(set, sp$id, length(r$rows), "rows", round(proc.time()[[3]] - t0, 2), "s\n")
  }
  e <- do.call(rbind, ex); rownames(e) <- NULL; i <- do.call(rbind, ix)
  fn <- if (dry) file.path(root, sprintf("../expected_%s_%s.csv", set, ver$survey)) else file.path(root, set, "expected.csv")
  e$value <- formatC(e$value, digits = 15, format = "g", width = 1); write.csv(e, fn, row.names = FALSE, quote = 2)
  if (!dry) write.csv(i, file.path(root, set, "INDEX.csv"), row.names = FALSE)
}
