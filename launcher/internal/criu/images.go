package criu

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
)

// linkRemap is the name that CRIU gives a file which the program holds open by a name that is gone, while the
// file has others. It must be there at the restore, which removes it.
var linkRemap = regexp.MustCompile(`(^|/)link_remap\.\d+$`)

// File is a regular file that the program had open or mapped, by its path at the dump.
type File struct {
	Path     string
	Writable bool
}

// Files lists the regular files of the image in dir.
func Files(dir string) ([]File, error) {
	image, err := os.ReadFile(filepath.Join(dir, "files.img"))
	if err != nil {
		return nil, err
	}
	var files []File
	err = eachRegular(image, func(name []byte, flags uint64) {
		files = append(files, File{
			Path:     filepath.Join("/", string(name)),
			Writable: flags&syscall.O_ACCMODE != syscall.O_RDONLY,
		})
	})
	return files, err
}

// eachRegular reads files.img: every file that is open or mapped, and every directory that a process is in. The names
// are parts of the image itself.
func eachRegular(image []byte, do func(name []byte, flags uint64)) error {
	return eachMessage(image, func(entry fields) error {
		// file_entry and reg_file_entry of fdinfo.proto and regfile.proto.
		regular, isRegular := entry.values[3]
		if !isRegular {
			return nil
		}
		file, err := decode(regular)
		if err == nil {
			do(file.values[6], file.numbers[2])
		}
		return err
	})
}

// LinkRemaps picks out the links that CRIU made.
func LinkRemaps(files []File) []string {
	var links []string
	for _, file := range files {
		if linkRemap.MatchString(file.Path) {
			links = append(links, file.Path)
		}
	}
	return links
}

// eachMessage reads an image: two magic numbers, then messages behind their sizes.
func eachMessage(image []byte, do func(fields) error) error {
	const magic, word = 8, 4
	if len(image) < magic {
		return errTruncated
	}
	for rest := image[magic:]; len(rest) > 0; {
		if len(rest) < word {
			return errTruncated
		}
		size := uint64(binary.LittleEndian.Uint32(rest))
		if uint64(len(rest)-word) < size {
			return errTruncated
		}
		entry, err := decode(rest[word : word+size])
		if err == nil {
			err = do(entry)
		}
		if err != nil {
			return fmt.Errorf("CRIU image: %w", err)
		}
		rest = rest[word+size:]
	}
	return nil
}
