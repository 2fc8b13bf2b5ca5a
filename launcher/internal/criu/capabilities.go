package criu

// Capability is one Linux capability, by its number and its name without the CAP_ prefix.
type Capability struct {
	Number uintptr
	Name   string
}

// RequiredCapabilities is what the launcher's container must add to dump and restore any program that it can
// start. docs/capabilities.md says what fails without each.
var RequiredCapabilities = []Capability{
	{0, "CHOWN"},
	{1, "DAC_OVERRIDE"},
	{2, "DAC_READ_SEARCH"},
	{3, "FOWNER"},
	{5, "KILL"},
	{6, "SETGID"},
	{7, "SETUID"},
	{8, "SETPCAP"},
	{12, "NET_ADMIN"},
	{13, "NET_RAW"},
	{19, "SYS_PTRACE"},
	{21, "SYS_ADMIN"},
	{25, "SYS_TIME"},
	{40, "CHECKPOINT_RESTORE"},
}

// split divides the required capabilities into those that a set, as a bit mask, has and those that it lacks.
func split(held uint64) (numbers []uintptr, missing []string) {
	for _, capability := range RequiredCapabilities {
		if held&(1<<capability.Number) != 0 {
			numbers = append(numbers, capability.Number)
		} else {
			missing = append(missing, capability.Name)
		}
	}
	return numbers, missing
}
