module ergosphere.dev/launcher

go 1.26
