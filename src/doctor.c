/* SPDX-License-Identifier: BSD-3-Clause */
#include "doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "kvm/probe.h"

/*
 * `mqvmm doctor`: what this host offers, a line each. Every look tries the real
 * thing; none trusts a version number.
 */

void doctor_report(struct doctor_finding *finding, bool good, const char *json,
		   const char *fmt, ...)
{
	va_list args;

	finding->good = good;
	snprintf(finding->json, sizeof(finding->json), "%s", json);
	va_start(args, fmt);
	vsnprintf(finding->text, sizeof(finding->text), fmt, args);
	va_end(args);
}

struct doctor_capability {
	int number;
	const char *name;
};

static const struct doctor_capability doctor_capabilities[] = {
	{ KVM_CAP_IRQCHIP, "IRQCHIP" },
	{ KVM_CAP_USER_MEMORY, "USER_MEMORY" },
	{ KVM_CAP_IRQFD, "IRQFD" },
	{ KVM_CAP_IRQFD_RESAMPLE, "IRQFD_RESAMPLE" },
	{ KVM_CAP_IOEVENTFD, "IOEVENTFD" },
	{ KVM_CAP_IRQ_ROUTING, "IRQ_ROUTING" },
	{ KVM_CAP_SIGNAL_MSI, "SIGNAL_MSI" },
	{ KVM_CAP_IMMEDIATE_EXIT, "IMMEDIATE_EXIT" },
};

/* Return: the first capability that is missing, NULL if none is */
static const char *doctor_missing_capability(int kvm)
{
	size_t count =
		sizeof(doctor_capabilities) / sizeof(*doctor_capabilities);

	for (size_t i = 0; i < count; i++)
		if (ioctl(kvm, KVM_CHECK_EXTENSION,
			  doctor_capabilities[i].number) <= 0)
			return doctor_capabilities[i].name;
	return NULL;
}

static void doctor_look_at_kvm(struct doctor_finding *finding)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), vcpus;
	const char *missing;
	char json[64];

	if (kvm < 0) {
		doctor_report(
			finding, false, "null",
			errno == EACCES
				? "no access to /dev/kvm: add the user to "
				  "the group kvm"
				: "no /dev/kvm: load kvm-intel or kvm-amd, "
				  "or switch virtualisation on in the "
				  "firmware");
		return;
	}
	missing = doctor_missing_capability(kvm);
	vcpus = ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS);
	snprintf(json, sizeof(json), "{\"max_vcpus\":%d,\"x2apic_api\":%s}",
		 vcpus,
		 ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_X2APIC_API) > 0
			 ? "true"
			 : "false");
	close(kvm);
	if (missing)
		doctor_report(finding, false, json,
			      "KVM lacks %s: use a newer kernel", missing);
	else
		doctor_report(finding, true, json,
			      "has all that is needed, up to %d CPUs a guest",
			      vcpus);
}

/* What follows for the choice of a guest's kernel. */
struct doctor_verdict {
	const char *guest;
	const char *text;
};

static const struct doctor_verdict doctor_verdicts[] = {
	[PROBE_STOCK] = { "stock", "stock kernels run at full speed" },
	[PROBE_CPL3_ONLY] = { "cpl3",
			      "stock kernels do not run: level 0 goes through "
			      "an emulator" },
	[PROBE_NONE] = { "none", "no guest code runs at full speed" },
};

static void doctor_look_at_speed(struct doctor_finding *finding)
{
	const struct doctor_verdict *verdict;
	struct probe_result result;
	struct fail fail = { 0 };
	char json[128];

	if (probe_measure(&result, &fail)) {
		doctor_report(finding, false, "null", "%s", fail.text);
		return;
	}
	verdict = &doctor_verdicts[result.verdict];
	snprintf(
		json, sizeof(json),
		"{\"guest\": \"%s\",\"level0_mips\":%.1f,\"level3_mips\":%.1f}",
		verdict->guest, result.level0_mips, result.level3_mips);
	doctor_report(finding, result.verdict != PROBE_NONE, json,
		      "%s (%.0f MIPS at level 0, %.0f at level 3)",
		      verdict->text, result.level0_mips, result.level3_mips);
}

static const struct doctor_check doctor_kvm_checks[] = {
	{ "kvm", true, doctor_look_at_kvm },
	{ "guest_code", true, doctor_look_at_speed },
	{ NULL, false, NULL },
};

static bool doctor_run_checks(const struct doctor_check *check, bool json,
			      FILE *out, bool first)
{
	bool good = true;

	for (; check->name; check++, first = false) {
		struct doctor_finding finding = { 0 };

		check->look(&finding);
		good &= finding.good || !check->required;
		if (json)
			fprintf(out, "%s\"%s\":%s", first ? "" : ",\n",
				check->name, finding.json);
		else
			fprintf(out, "%-5s %-14s %s\n",
				finding.good      ? "ok"
				: check->required ? "FAIL"
						  : "note",
				check->name, finding.text);
	}
	return good;
}

int doctor_run(bool json, FILE *out)
{
	bool good;

	if (json)
		fputs("{", out);
	good = doctor_run_checks(doctor_kvm_checks, json, out, true);
	good &= doctor_run_checks(doctor_host_checks, json, out, false);
	if (json)
		fprintf(out, ",\n\"run_works\":%s}\n", good ? "true" : "false");
	return good ? 0 : 1;
}
