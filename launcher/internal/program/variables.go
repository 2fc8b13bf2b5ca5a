package program

import "strings"

// variables is an environment, as a list of NAME=VALUE.
type variables struct {
	entries []string
}

func newVariables(entries []string) *variables {
	return &variables{append([]string(nil), entries...)}
}

// find returns the position of a variable and its value; the first counts, as it does for getenv.
func (v *variables) find(name string) (position int, value string) {
	for position, entry := range v.entries {
		if value, found := strings.CutPrefix(entry, name+"="); found {
			return position, value
		}
	}
	return -1, ""
}

func (v *variables) set(name, value string) {
	entry := name + "=" + value
	if position, _ := v.find(name); position >= 0 {
		v.entries[position] = entry
		return
	}
	v.entries = append(v.entries, entry)
}

// setDefault sets a variable that is not set.
func (v *variables) setDefault(name, value string) {
	if position, _ := v.find(name); position < 0 {
		v.set(name, value)
	}
}

// addOption adds KEY=VALUE to a variable that holds such pairs, separated by commas, unless the key is there.
func (v *variables) addOption(name, key, value string) {
	_, options := v.find(name)
	for _, option := range strings.Split(options, ",") {
		if strings.HasPrefix(option, key+"=") {
			return
		}
	}
	v.set(name, strings.TrimPrefix(options+","+key+"="+value, ","))
}
