package main

import (
	"path/filepath"
	"syscall"
	"testing"
)

func TestAVolumeInPlaceOfSharedMemoryIsCarriedOnce(t *testing.T) {
	scratch := t.TempDir()
	roots, err := carriedRoots([]string{"/dev/shm", scratch})
	if err != nil || len(roots) != 3 {
		t.Fatal(roots, err)
	}
	for i, path := range []string{"/", "/dev/shm", scratch} {
		if roots[i].Path != path || roots[i].ReadOnly || roots[i].Since.IsZero() != (i > 0) {
			t.Errorf("%+v", roots[i])
		}
	}
}

func TestAVolumeThatIsNotThereCanStillBeMade(t *testing.T) {
	roots, err := carriedRoots([]string{filepath.Join(t.TempDir(), "none")})
	if err != nil || roots[2].ReadOnly {
		t.Error(roots, err)
	}
}

func TestAMountThatCannotBeWrittenToIsKnownAsSuch(t *testing.T) {
	directory := t.TempDir()
	if err := syscall.Mount("none", directory, "tmpfs", syscall.MS_RDONLY, ""); err != nil {
		t.Skip("mounting takes root: ", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(directory, syscall.MNT_DETACH) })
	roots, err := carriedRoots([]string{directory})
	if err != nil || !roots[2].ReadOnly {
		t.Error(roots, err)
	}
}
