module percore

go 1.19
