# Statistics of data.tsv and ratings.tsv by R, written as JSON to standard output:
#   apt-get install -y --no-install-recommends r-base-core r-cran-psych r-cran-proc r-cran-car
#   Rscript reference.R > reference.json
suppressPackageStartupMessages({library(psych); library(pROC); library(car)})
folder <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)[1]))
d <- read.delim(file.path(folder, "data.tsv"))
ratings <- read.delim(file.path(folder, "ratings.tsv"))
d$group <- factor(d$group, levels = c("A", "B"))
a <- d[d$group == "A", ]; b <- d[d$group == "B", ]
out <- list()
keep <- function(name, value) out[[name]] <<- unname(as.numeric(value))

# Two groups: t, Levene from the means, Mann-Whitney without continuity
for (kind in c("pooled", "welch")) {
  test <- t.test(a$x, b$x, var.equal = kind == "pooled")
  keep(paste0("t_", kind), c(test$statistic, test$parameter, test$p.value))
}
levene <- leveneTest(x ~ group, data = d, center = mean)
keep("levene", c(levene[1, "F value"], levene[1, "Pr(>F)"]))
test <- suppressWarnings(wilcox.test(a$skewed, b$skewed, exact = FALSE, correct = FALSE))
keep("mann_whitney", c(test$statistic, test$p.value))

# Proportions
for (name in c("common", "rare")) {
  counts <- rbind(c(sum(a[[name]]), sum(1 - a[[name]])), c(sum(b[[name]]), sum(1 - b[[name]])))
  plain <- suppressWarnings(chisq.test(counts, correct = FALSE))
  yates <- suppressWarnings(chisq.test(counts, correct = TRUE))
  keep(paste0("chi_square_", name),
       c(plain$statistic, plain$p.value, yates$p.value, fisher.test(counts)$p.value, min(plain$expected)))
  keep(paste0("phi_", name), psych::phi(counts, digits = 12))
  # The interval, with the variance of phi by numerical derivatives of the two shares
  n <- rowSums(counts); share <- counts[, 1] / n
  value <- function(p) { q <- sum(n * p) / sum(n); (p[1] - p[2]) * sqrt(prod(n / sum(n)) / (q * (1 - q))) }
  slope <- sapply(1:2, function(i) { e <- replace(c(0, 0), i, 1e-6); (value(share + e) - value(share - e)) / 2e-6 })
  se <- sqrt(sum(slope^2 * share * (1 - share) / n)) / (1 - value(share)^2)
  keep(paste0("phi_interval_", name), tanh(atanh(value(share)) + c(-1, 1) * qnorm(0.975) * se))
}

# Description and shape
types <- c(weibull = 6, linear = 7, hazen = 5, median_unbiased = 8, normal_unbiased = 9)
for (name in names(types)) {
  keep(paste0("quantile_", name), quantile(a$skewed, c(0.25, 0.5, 0.75), type = types[[name]]))
}
for (name in c("x", "skewed")) {
  test <- shapiro.test(d[[name]])
  keep(paste0("shapiro_", name), c(test$statistic, test$p.value))
}

# Effect sizes
n1 <- nrow(a); n2 <- nrow(b); df <- n1 + n2 - 2
pooled <- sqrt(((n1 - 1) * var(a$x) + (n2 - 1) * var(b$x)) / df)
g <- (mean(a$x) - mean(b$x)) / pooled * (1 - 3 / (4 * (n1 + n2) - 9))
se <- sqrt((n1 + n2) / (n1 * n2) + g^2 / (2 * (n1 + n2)))
keep("hedges_g", c(g, g - qt(0.975, df) * se, g + qt(0.975, df) * se))

# ROC
for (name in c("x", "skewed")) {
  curve <- roc(d$group, d[[name]], levels = c("B", "A"), direction = "<", quiet = TRUE)
  ci <- ci.auc(curve, method = "delong")
  keep(paste0("auc_", name), c(curve$auc, ci[1], ci[3], sqrt(var(curve, method = "delong"))))
  best <- coords(curve, "best", best.method = "youden", transpose = FALSE,
                 ret = c("threshold", "sensitivity", "specificity", "accuracy"))
  best <- best[which.max(best$sensitivity), ]
  keep(paste0("youden_", name), unlist(best))
  r <- 2 * as.numeric(curve$auc) - 1
  se <- 2 * sqrt(var(curve, method = "delong")) / (1 - r^2)
  keep(paste0("rank_biserial_", name), c(r, tanh(atanh(r) + c(-1, 1) * qnorm(0.975) * se)))
}
fit <- glm(I(group == "A") ~ x + skewed, data = d, family = binomial, epsilon = 1e-14, maxit = 100)
keep("logistic", fitted(fit))

# Correlation
test <- cor.test(d$x, d$outcome)
keep("pearson", c(test$estimate, test$p.value, test$conf.int))
test <- suppressWarnings(cor.test(d$age, d$score, method = "spearman", exact = FALSE))
keep("spearman", c(test$estimate, test$p.value))

# Regression, standardized, on the complete cases
terms <- c("age", "common", "score")
complete <- na.omit(d[, c("outcome", terms)])
z <- as.data.frame(scale(complete))
fit <- lm(outcome ~ age + common + score, data = z); s <- summary(fit)
keep("beta", coef(fit)[terms])
keep("beta_t", s$coefficients[terms, "t value"])
keep("beta_p", s$coefficients[terms, "Pr(>|t|)"])
f <- s$fstatistic
keep("model", c(nrow(z), s$r.squared, s$adj.r.squared, f, pf(f[1], f[2], f[3], lower.tail = FALSE)))
keep("vif", vif(fit))

# Pairs
test <- t.test(d$x, d$right, paired = TRUE)
gap <- d$x - d$right
keep("paired_t", c(test$statistic, test$parameter, test$p.value, test$conf.int, mean(gap) / sd(gap)))
test <- suppressWarnings(wilcox.test(d$x, d$right, paired = TRUE, exact = FALSE, correct = FALSE))
rest <- gap[gap != 0]
keep("signed_rank", c(min(test$statistic, length(rest) * (length(rest) + 1) / 2 - test$statistic), test$p.value))

# Agreement: single and average, absolute agreement and consistency
found <- ICC(ratings, lmer = FALSE)$results
rows <- c(icc_a1 = "ICC2", icc_ak = "ICC2k", icc_c1 = "ICC3", icc_ck = "ICC3k")
for (name in names(rows)) {
  row <- found[found$type == rows[[name]], ]
  keep(name, c(row$ICC, row[["lower bound"]], row[["upper bound"]], row$F, row$df1, row$df2, row$p))
}

# Multiplicity
keep("bh", p.adjust(c(0.0023, 0.0067, 0.0104, 0.0105, 0.1506, 0.192, 0.206, 0.214, 0.3, 0.76), "BH"))

number <- function(x) formatC(x, digits = 15, format = "g")
entries <- sapply(names(out), function(name) {
  sprintf('  "%s": [%s]', name, paste(trimws(number(out[[name]])), collapse = ", "))
})
cat("{\n", paste(entries, collapse = ",\n"), "\n}\n", sep = "")
