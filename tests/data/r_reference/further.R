# Statistics beyond the paper's, of data.tsv by R, written as JSON to standard output:
#   apt-get install -y --no-install-recommends r-base-core r-cran-car
#   Rscript further.R > further.json
suppressPackageStartupMessages(library(car))
folder <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)[1]))
d <- read.delim(file.path(folder, "data.tsv"))
d$third <- cut(d$age, c(0, 58, 72, 120), labels = c("P", "Q", "R"))
out <- list()
keep <- function(name, value) out[[name]] <<- unname(as.numeric(value))

# Three groups: analysis of variance, Welch's, Kruskal-Wallis, chi-square, pairs
for (name in c("x", "skewed")) {
  y <- d[[name]]
  table <- anova(lm(y ~ d$third))
  keep(paste0("anova_", name), c(table[1, "F value"], table$Df, table[1, "Pr(>F)"],
                                 table[1, "Sum Sq"] / sum(table[["Sum Sq"]])))
  welch <- oneway.test(y ~ d$third)
  keep(paste0("welch_anova_", name), c(welch$statistic, welch$parameter, welch$p.value))
  ranks <- kruskal.test(y ~ d$third)
  keep(paste0("kruskal_", name), c(ranks$statistic, ranks$parameter, ranks$p.value))
}
counts <- table(d$third, 1 - d$common)
test <- chisq.test(counts, correct = FALSE)
keep("chi_square_three", c(test$statistic, test$parameter, test$p.value, min(test$expected),
                           sqrt(test$statistic / sum(counts))))
t <- pairwise.t.test(d$x, d$third, pool.sd = FALSE, var.equal = TRUE, p.adjust.method = "holm")
keep("pairs_t_holm", t$p.value[lower.tri(t$p.value, diag = TRUE)])
w <- suppressWarnings(pairwise.wilcox.test(d$skewed, d$third, exact = FALSE, correct = FALSE,
                                           p.adjust.method = "none"))
keep("pairs_wilcox", w$p.value[lower.tri(w$p.value, diag = TRUE)])
keep("holm", p.adjust(c(0.0083, 0.04, 0.31, 0.021, 0.77, 0.5, 0.012), "holm"))

# Groups at equal covariates, with the checks of the model
d$A <- as.numeric(d$group == "A")
full <- lm(outcome ~ A + age + common + score, data = d)
s <- summary(full)$coefficients["A", ]
n <- nobs(full); df <- df.residual(full)
keep("ancova", c(s, df, confint(full)["A", ], s["t value"]^2 / (s["t value"]^2 + df),
                 s["Estimate"] / summary(full)$sigma))
se <- sqrt(hccm(full, type = "hc3")["A", "A"])
keep("ancova_hc3", 2 * pt(-abs(s["Estimate"] / se), df))
keep("ancova_shapiro", shapiro.test(residuals(full))$p.value)
squares <- residuals(full)^2
keep("ancova_breusch_pagan",
     pchisq(n * summary(lm(squares ~ model.matrix(full)[, -1]))$r.squared, 4, lower.tail = FALSE))
slopes <- lm(outcome ~ A * (age + common + score), data = d)
keep("ancova_slopes", anova(full, slopes)[2, "Pr(>F)"])
keep("ancova_vif", max(vif(full)))

# Slope against age
fit <- lm(x ~ age, data = d)
keep("slope", c(coef(fit)["age"], confint(fit)["age", ]))

number <- function(x) formatC(x, digits = 15, format = "g")
entries <- sapply(names(out), function(name) {
  sprintf('  "%s": [%s]', name, paste(trimws(number(out[[name]])), collapse = ", "))
})
cat("{\n", paste(entries, collapse = ",\n"), "\n}\n", sep = "")
