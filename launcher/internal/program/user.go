// Package program starts the user's program: who it runs as, with what it starts, and what it may not do.
package program

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// User is the identity that the program runs under.
type User struct {
	UID    uint32   `json:"uid"`
	GID    uint32   `json:"gid"`
	Groups []uint32 `json:"groups"`
}

// ParseUser reads "UID:GID" or "UID:GID:GROUP,GROUP". All are numbers; names are the caller's to resolve.
func ParseUser(text string) (User, error) {
	parts := strings.Split(text, ":")
	if len(parts) < 2 || len(parts) > 3 {
		return User{}, fmt.Errorf("user %q must be UID:GID or UID:GID:GROUP,GROUP", text)
	}
	uid, err := parseID(parts[0])
	if err != nil {
		return User{}, fmt.Errorf("user %q: %w", text, err)
	}
	gid, err := parseID(parts[1])
	if err != nil {
		return User{}, fmt.Errorf("user %q: %w", text, err)
	}
	user := User{UID: uid, GID: gid}
	if len(parts) == 2 || parts[2] == "" {
		return user, nil
	}
	for _, part := range strings.Split(parts[2], ",") {
		group, err := parseID(part)
		if err != nil {
			return User{}, fmt.Errorf("user %q: %w", text, err)
		}
		user.Groups = append(user.Groups, group)
	}
	return user, nil
}

// parseID accepts what the kernel accepts: the highest value means "leave unchanged" to it and is refused.
func parseID(text string) (uint32, error) {
	id, err := strconv.ParseUint(text, 10, 32)
	if err != nil || id == 1<<32-1 {
		return 0, fmt.Errorf("%q is not a number from 0 to 4294967294", text)
	}
	return uint32(id), nil
}

// String is the form that ParseUser reads.
func (u User) String() string {
	groups := make([]string, len(u.Groups))
	for i, group := range u.Groups {
		groups[i] = strconv.FormatUint(uint64(group), 10)
	}
	return fmt.Sprintf("%d:%d:%s", u.UID, u.GID, strings.Join(groups, ","))
}

// Current is the identity of this process.
func Current() User {
	user := User{UID: uint32(os.Getuid()), GID: uint32(os.Getgid()), Groups: []uint32{}}
	groups, err := os.Getgroups()
	if err != nil {
		return user
	}
	for _, group := range groups {
		user.Groups = append(user.Groups, uint32(group))
	}
	return user
}
