package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"ergosphere.dev/launcher/internal/program"
	"ergosphere.dev/launcher/internal/supervisor"
)

func TestTheOptionsOfRun(t *testing.T) {
	options, err := parseRunOptions("run", []string{
		"--user", "1000:100:27", "--job", "j1", "--home", "/home/u", "--grace", "12.5", "--no-aslr=false", "--carry", "/scratch",
		"--carry", "/tmp", "--", "python", "--user", "x"})
	want := runOptions{
		user: program.User{UID: 1000, GID: 100, Groups: []uint32{27}}, home: "/home/u", job: "j1", grace: 12.5,
		carry: []string{"/scratch", "/tmp"}, command: []string{"python", "--user", "x"},
	}
	if err != nil || !reflect.DeepEqual(options, want) {
		t.Errorf("%+v %v", options, err)
	}
}

func TestTheDefaultsOfRun(t *testing.T) {
	options, err := parseRunOptions("run", []string{"--", "true"})
	want := runOptions{user: program.Current(), grace: 30, noASLR: true, command: []string{"true"}}
	if err != nil || !reflect.DeepEqual(options, want) {
		t.Errorf("%+v %v", options, err)
	}
}

func TestTheOptionsOfAProgramThatSavesItsOwnState(t *testing.T) {
	options, err := parseRunOptions("run", []string{
		"--save-in", "/state", "--save-signal", "12", "--save-within", "7", "--must-save", "--gang", "--", "true"})
	want := supervisor.Saving{
		Signal: syscall.SIGUSR2, Grace: 7 * time.Second, Directory: "/state", MustHold: true, Gang: true}
	if err != nil || options.saving == nil || *options.saving != want {
		t.Errorf("%+v %v", options.saving, err)
	}
}

func TestBadOptionsSayWhatIsAllowed(t *testing.T) {
	for arguments, want := range map[string]string{
		"":                         "a command must follow",
		"--":                       "a command must follow",
		"--user|root|--|true":      "UID:GID",
		"--grace|-1|--|true":       "number of seconds",
		"--grace|NaN|--|true":      "number of seconds",
		"--carry|relative|--|true": "clean absolute path",
		"--carry|/a/../b|--|true":  "clean absolute path",
		"--save-in|state|--|true":  "clean absolute path",
		"--save-in|/|--|true":      "below /",
		"--save-signal|0|--|true":  "from 1 to 64",
		"--save-within|0|--|true":  "from 1 to 86400",
		"--unheard-of|--|true":     "not defined",
	} {
		_, err := parseRunOptions("run", strings.FieldsFunc(arguments, func(r rune) bool { return r == '|' }))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", arguments, err)
		}
	}
}

func TestInstallingTwiceIsInstallingOnce(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("giving a directory to another user takes root")
	}
	from, to, run := t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "run")
	if err := os.MkdirAll(filepath.Join(from, "lib"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"criu", "lib/libc.so"} {
		if err := os.WriteFile(filepath.Join(from, name), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if code, err := install([]string{from, to, run}); code != 0 || err != nil {
			t.Fatal(code, err)
		}
	}
	names, err := os.ReadDir(to)
	if err != nil || len(names) != 2 {
		t.Errorf("%v %v", names, err)
	}
	if status, err := os.Stat(filepath.Join(to, "lib/libc.so")); err != nil || status.Mode() != 0o755 {
		t.Errorf("%v %v", status, err)
	}
	if status, err := os.Stat(filepath.Join(run, "images")); err != nil || status.Mode().Perm() != 0o700 {
		t.Errorf("%v %v", status, err)
	}
}

func TestInstallRefusesWhatIsNoFile(t *testing.T) {
	from := t.TempDir()
	if err := os.Symlink("/etc/passwd", filepath.Join(from, "criu")); err != nil {
		t.Fatal(err)
	}
	if code, err := install([]string{from, t.TempDir(), t.TempDir()}); code == 0 || err == nil {
		t.Error("a link was installed")
	}
}

func TestTheProbeTellsWhoItRunsAs(t *testing.T) {
	t.Setenv("HOME", "/home/somebody")
	file := filepath.Join(t.TempDir(), "user.json")
	if code, err := probe([]string{file}); code != 0 || err != nil {
		t.Fatal(code, err)
	}
	text, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(text), `"home":"/home/somebody"`) || !strings.Contains(string(text), `"uid":`) {
		t.Errorf("%s %v", text, err)
	}
}
