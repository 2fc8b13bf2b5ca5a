package sys

const sysStatx = 291
