package program

import (
	"reflect"
	"testing"
)

func TestUsers(t *testing.T) {
	for text, want := range map[string]User{
		"0:0":            {},
		"1000:1000":      {UID: 1000, GID: 1000},
		"1000:100:27,44": {UID: 1000, GID: 100, Groups: []uint32{27, 44}},
		"4294967294:0:":  {UID: 4294967294},
	} {
		user, err := ParseUser(text)
		if err != nil || !reflect.DeepEqual(user, want) {
			t.Errorf("%s: %+v %v", text, user, err)
		}
		if again, err := ParseUser(user.String()); err != nil || !reflect.DeepEqual(again, want) {
			t.Errorf("%s: %+v %v", user, again, err)
		}
	}
	for _, text := range []string{"", "0", "root:root", "-1:0", "4294967295:0", "0:0:,", "0:0:1,", "0:0:1:2", " 0:0", "0x1:0"} {
		if user, err := ParseUser(text); err == nil {
			t.Errorf("%q is %+v", text, user)
		}
	}
}

func TestTheEnvironmentOfTheProgram(t *testing.T) {
	always := []string{"UV_USE_IO_URING=0", "GODEBUG=multipathtcp=0"}
	for _, one := range []struct {
		inherited []string
		spec      Spec
		want      []string
	}{
		{[]string{"A=1"}, Spec{RandomizeAddresses: true}, append([]string{"A=1"}, always...)},
		{[]string{"A=1"}, Spec{}, append([]string{"A=1", "PYTHONHASHSEED=0"}, always...)},
		{[]string{"A=1"}, Spec{RandomizeAddresses: true, SavesItself: true}, []string{"A=1"}},
		{[]string{"PYTHONHASHSEED="}, Spec{}, append([]string{"PYTHONHASHSEED="}, always...)},
		{[]string{"HOME=/root", "B=2"}, Spec{Home: "/home/u", RandomizeAddresses: true},
			append([]string{"HOME=/home/u", "B=2"}, always...)},
		{[]string{"GODEBUG=http2client=0", "UV_USE_IO_URING=1"}, Spec{RandomizeAddresses: true},
			[]string{"GODEBUG=http2client=0,multipathtcp=0", "UV_USE_IO_URING=1"}},
		{[]string{"GODEBUG=multipathtcp=1", "UV_USE_IO_URING=0"}, Spec{RandomizeAddresses: true},
			[]string{"GODEBUG=multipathtcp=1", "UV_USE_IO_URING=0"}},
	} {
		before := append([]string(nil), one.inherited...)
		if got := environment(one.inherited, one.spec); !reflect.DeepEqual(got, one.want) {
			t.Errorf("%v: got %v, want %v", before, got, one.want)
		}
		if !reflect.DeepEqual(one.inherited, before) {
			t.Errorf("the launcher's own environment was changed: %v", one.inherited)
		}
	}
}
