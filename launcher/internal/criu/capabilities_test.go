package criu

import (
	"reflect"
	"testing"
)

func TestMissingCapabilitiesAreNamed(t *testing.T) {
	var all uint64
	for _, capability := range RequiredCapabilities {
		all |= 1 << capability.Number
	}
	if numbers, missing := split(all); len(numbers) != len(RequiredCapabilities) || missing != nil {
		t.Errorf("%v %v", numbers, missing)
	}
	numbers, missing := split(all &^ (1<<40 | 1<<8))
	if len(numbers) != len(RequiredCapabilities)-2 || !reflect.DeepEqual(missing, []string{"SETPCAP", "CHECKPOINT_RESTORE"}) {
		t.Errorf("%v %v", numbers, missing)
	}
}
