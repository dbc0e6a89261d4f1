* Quartiles by HAVERAGE, listwise and pairwise, of data.tsv by PSPP:
*   apt-get install -y --no-install-recommends pspp
*   pspp -O format=csv -o reference_pspp.csv reference.sps   (in this folder).
SET FORMAT=F20.12.
GET DATA /TYPE=TXT /FILE="data.tsv" /DELIMITERS="\t" /FIRSTCASE=2
 /VARIABLES=group A2 x F10.4 right F10.4 skewed F10.1 common F2 rare F2 age F4 score F6.1 later F6.1 outcome F10.3.
FORMATS score later (F20.10).
EXAMINE VARIABLES=score later /STATISTICS=NONE /PERCENTILES(25 50 75)=HAVERAGE /MISSING=LISTWISE.
EXAMINE VARIABLES=score later /STATISTICS=NONE /PERCENTILES(25 50 75)=HAVERAGE /MISSING=PAIRWISE.
