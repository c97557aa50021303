/* SPDX-License-Identifier: BSD-3-Clause */
#include "options_forward.h"

#include <errno.h>
#include <string.h>

#include "options_text.h"

/*
 * Each taker reads one piece at *text and moves behind it, or says what it
 * missed there. A '-' that follows the host port begins a range if a number and
 * another '-' come behind it; otherwise the guest's side begins: an IPv4
 * address is more than a number, and one of IPv6 is in brackets.
 */

static int take_protocol(const char **text, bool udp, int *protocol,
			 struct fail *fail)
{
	size_t size = strcspn(*text, ":");
	bool is_udp = udp && size == 3 && memcmp(*text, "udp", 3) == 0;

	if (!(*text)[size] ||
	    (size && !is_udp && (size != 3 || memcmp(*text, "tcp", 3) != 0)))
		return fail_set(fail, -EINVAL, "it must begin with %s or a :",
				udp ? "tcp:, udp:" : "tcp:");
	*protocol = is_udp ? IPPROTO_UDP : IPPROTO_TCP;
	*text += size + 1;
	return 0;
}

static int take_fail(const char *what, struct fail *fail)
{
	return fail_set(fail, -EINVAL,
			"the %s must be an address like 10.0.2.15, or like "
			"[fec0::15] in brackets, then a : and its port",
			what);
}

/* An address, or nothing, which is ::; and the colon behind it. */
static int take_address(const char **text, const char *what,
			struct in6_addr *address, struct fail *fail)
{
	bool bracket = **text == '[';
	size_t size = strcspn(*text + bracket, bracket ? "]" : ":");
	const char *end = *text + size + 2 * (size_t)bracket;
	char copy[INET6_ADDRSTRLEN] = "";
	struct in_addr in;

	*address = in6addr_any;
	if (size >= sizeof(copy))
		return take_fail(what, fail);
	memcpy(copy, *text + bracket, size);
	if (bracket &&
	    ((*text)[1 + size] != ']' || options_address6(copy, address) ||
	     address_is4(address)))
		return take_fail(what, fail);
	if (!bracket && size && options_address(copy, &in))
		return take_fail(what, fail);
	if (!bracket && size)
		*address = address_from4(in);
	if (*end != ':')
		return take_fail(what, fail);
	*text = end + 1;
	return 0;
}

static int take_port(const char **text, const char *what, uint64_t low,
		     uint16_t *port, struct fail *fail)
{
	char copy[6] = "";
	size_t size = strspn(*text, "0123456789");
	uint64_t number;

	if (size < sizeof(copy))
		memcpy(copy, *text, size);
	if (options_number(copy, low, 65535, &number))
		return fail_set(fail, -EINVAL,
				"the %s must be a number from %u to 65535",
				what, (unsigned int)low);
	*port = (uint16_t)number;
	*text += size;
	return 0;
}

static bool is_range(const char *text)
{
	size_t size;

	if (*text != '-')
		return false;
	size = strspn(text + 1, "0123456789");
	return size && text[1 + size] == '-';
}

static int take_host_ports(const char **text, struct slirp_forward *forward,
			   struct fail *fail)
{
	uint16_t last = 0;
	int ret = take_port(text, "host port", 0, &forward->host.port, fail);

	forward->count = 1;
	if (ret || !is_range(*text))
		return ret;
	++*text;
	ret = take_port(text, "last host port", 1, &last, fail);
	if (ret)
		return ret;
	if (!forward->host.port || last < forward->host.port ||
	    last - forward->host.port >= SLIRP_FORWARD_PORTS_MAX)
		return fail_set(fail, -EINVAL,
				"a range of host ports goes from a lower port, "
				"not 0, to a higher, %d ports at most",
				SLIRP_FORWARD_PORTS_MAX);
	forward->count = last - forward->host.port + 1U;
	return 0;
}

/* A single character that must be there. */
static int take_sign(const char **text, char sign, const char *where,
		     struct fail *fail)
{
	if (**text != sign)
		return fail_set(fail, -EINVAL, "a %c is missing %s", sign,
				where);
	++*text;
	return 0;
}

static int take_end(const char *text, struct fail *fail)
{
	return *text ? fail_set(fail, -EINVAL,
				"'%s' is too much behind the port", text)
		     : 0;
}

int options_parse_forward(const char *text, struct slirp_forward *forward,
			  struct fail *fail)
{
	struct slirp_forward parsed = { 0 };
	int ret = take_protocol(&text, true, &parsed.protocol, fail);

	if (!ret)
		ret = take_address(&text, "host's side", &parsed.host.address,
				   fail);
	if (!ret)
		ret = take_host_ports(&text, &parsed, fail);
	if (!ret)
		ret = take_sign(&text, '-', "between host and guest", fail);
	if (!ret)
		ret = take_address(&text, "guest's side", &parsed.guest.address,
				   fail);
	if (!ret)
		ret = take_port(&text, "guest port", 1, &parsed.guest.port,
				fail);
	if (!ret)
		ret = take_end(text, fail);
	if (!ret)
		*forward = parsed;
	return ret;
}

/* "unix:" is gone: an absolute path. */
static int take_path(const char *text, char *path, struct fail *fail)
{
	size_t size = strlen(text);

	if (*text != '/' || size >= SLIRP_PATH_MAX)
		return fail_set(fail, -EINVAL,
				"unix: must be followed by an absolute path of "
				"%d characters at most",
				SLIRP_PATH_MAX - 1);
	memcpy(path, text, size + 1);
	return 0;
}

/* "tcp:" is gone. */
static int take_target(const char *text, struct slirp_endpoint *host,
		       struct fail *fail)
{
	int ret = take_address(&text, "target", &host->address, fail);

	if (!ret && address_is_any(&host->address))
		return take_fail("target", fail);
	if (!ret)
		ret = take_port(&text, "target's port", 1, &host->port, fail);
	return ret ? ret : take_end(text, fail);
}

int options_parse_guest_forward(const char *text,
				struct slirp_guest_forward *forward,
				struct fail *fail)
{
	struct slirp_guest_forward parsed = { 0 };
	int protocol, ret = take_protocol(&text, false, &protocol, fail);

	if (!ret)
		ret = take_address(&text, "server", &parsed.server.address,
				   fail);
	if (!ret)
		ret = take_port(&text, "server's port", 1, &parsed.server.port,
				fail);
	if (!ret)
		ret = take_sign(&text, '-', "between server and target", fail);
	if (ret)
		return ret;
	if (strncmp(text, "unix:", 5) == 0)
		ret = take_path(text + 5, parsed.path, fail);
	else if (strncmp(text, "tcp:", 4) == 0)
		ret = take_target(text + 4, &parsed.host, fail);
	else
		ret = fail_set(fail, -EINVAL,
			       "the target must be tcp:HOST:PORT or "
			       "unix:/PATH");
	if (!ret)
		*forward = parsed;
	return ret;
}

/* --net */

static int set_forward(const char *value, struct slirp_config *slirp,
		       struct fail *fail)
{
	unsigned int i = slirp->forward_count;
	int ret;

	if (i == SLIRP_FORWARDS_MAX)
		return fail_set(fail, -EINVAL, "there are %u at most", i);
	ret = options_parse_forward(value, &slirp->forward[i], fail);
	slirp->forward_count += !ret;
	return ret;
}

static int set_guest_forward(const char *value, struct slirp_config *slirp,
			     struct fail *fail)
{
	unsigned int i = slirp->guest_forward_count;
	int ret;

	if (i == SLIRP_GUEST_FORWARDS_MAX)
		return fail_set(fail, -EINVAL, "there are %u at most", i);
	ret = options_parse_guest_forward(value, &slirp->guest_forward[i],
					  fail);
	slirp->guest_forward_count += !ret;
	return ret;
}

int options_set_forward(const struct options_pair *pair,
			struct slirp_config *slirp, struct fail *fail)
{
	const char *value = pair->value ? pair->value : "";
	struct fail cause = { 0 };
	int ret = -ENOENT;

	if (strcmp(pair->key, "hostfwd") == 0)
		ret = set_forward(value, slirp, &cause);
	else if (strcmp(pair->key, "guestfwd") == 0)
		ret = set_guest_forward(value, slirp, &cause);
	if (!ret || ret == -ENOENT)
		return ret;
	return fail_set(fail, ret, "--net %s=%s is not possible: %s", pair->key,
			value, cause.text);
}

int options_check_forwards(struct slirp_config *slirp, struct fail *fail)
{
	struct fail cause = { 0 };
	int ret = 0;

	for (unsigned int i = 0; !ret && i < slirp->forward_count; i++)
		ret = slirp_forward_check(slirp, &slirp->forward[i], &cause);
	for (unsigned int i = 0; !ret && i < slirp->guest_forward_count; i++)
		ret = slirp_guest_forward_check(slirp, &slirp->guest_forward[i],
						&cause);
	return ret ? fail_set(fail, ret,
			      "--net hostfwd= or guestfwd= is not possible: %s",
			      cause.text)
		   : 0;
}
