# The works in the R package survey: Rscript survey_peer.R WORK FOLDER. Prints one JSON object; `seconds` is the work alone.
suppressMessages(library(survey))
arguments <- commandArgs(TRUE)
work <- arguments[1]
folder <- arguments[2]
options(warn = -1)
persons <- read.csv(file.path(folder, "persons.csv"), stringsAsFactors = TRUE)
margins <- read.csv(file.path(folder, "margins.csv"), stringsAsFactors = FALSE)
variables <- unique(margins$variable)
formulas <- lapply(variables, function(name) as.formula(paste("~", name)))
tables <- lapply(variables, function(name) {
  own <- margins[margins$variable == name, ]
  setNames(data.frame(factor(own$level, levels(persons[[name]])), own$total), c(name, "Freq"))
})
design <- svydesign(ids = ~psu, strata = ~district, weights = ~w, data = persons)
raked <- function(of, ...) rake(of, formulas, tables, control = list(maxit = 500, epsilon = 1e-10), ...)
cells <- function(of) {
  sums <- c(p = 0, se = 0)
  for (name in setdiff(variables, "district")) {
    found <- svyby(~literate, as.formula(paste("~district +", name)), of, svymean, keep.names = FALSE)
    confint(found)
    sums <- sums + c(sum(found$literate), sum(found$se))
  }
  sums
}
ready <- if (work == "b2") raked(design) else design
start <- proc.time()[[3]]
check <- switch(work,
  a = c(squares = sum(weights(raked(design))^2)),
  b = cells(design),
  b2 = cells(ready),
  c = {
    set.seed(7)
    cells(raked(as.svrepdesign(design, type = "subbootstrap", replicates = 200, compress = FALSE), compress = FALSE))
  }
)
seconds <- proc.time()[[3]] - start
cat(sprintf('{"seconds": %.3f, "peak_bytes": 0, "check": {%s}}\n', seconds, paste(sprintf('"%s": %.15g', names(check), check), collapse = ", ")))
