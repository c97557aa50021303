/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the guest cannot find out by probing: the PCI root with its windows and
 * interrupt wires, console, clock and panic port, and how to switch off. The
 * numbers are those of machine.h and acpi.h; the unit tests compare them. The
 * window of 64-bit BARs depends on the size of RAM and comes from the SSDT that
 * acpi.c builds (\P64B its first address, \P64E its last).
 */
DefinitionBlock ("dsdt.aml", "DSDT", 2, "MQVMM ", "MQVMDSDT", 1)
{
	External (\P64B, IntObj)
	External (\P64E, IntObj)

	Name (\_S5, Package () { 5 })

	Scope (\_SB)
	{
		Device (PCI0)
		{
			Name (_HID, EisaId ("PNP0A08"))
			Name (_CID, EisaId ("PNP0A03"))
			Name (_UID, 0)
			Name (_SEG, 0)
			Name (_BBN, 0)

			Name (WINS, ResourceTemplate () {
				WordBusNumber (ResourceProducer, MinFixed,
					MaxFixed, PosDecode,
					0, 0, 0, 0, 1)
				IO (Decode16, 0xCF8, 0xCF8, 1, 8)
				WordIO (ResourceProducer, MinFixed, MaxFixed,
					PosDecode, EntireRange,
					0, 0x6000, 0x9FFF, 0, 0x4000)
				DWordMemory (ResourceProducer, PosDecode,
					MinFixed, MaxFixed, NonCacheable,
					ReadWrite,
					0, 0xC0000000, 0xDFFFFFFF, 0,
					0x20000000)
				QWordMemory (ResourceProducer, PosDecode,
					MinFixed, MaxFixed, Cacheable,
					ReadWrite,
					0, 0, 0, 0, 1,
					,, P64W)
			})

			Method (_CRS, 0, Serialized)
			{
				CreateQWordField (WINS, ^P64W._MIN, WMIN)
				CreateQWordField (WINS, ^P64W._MAX, WMAX)
				CreateQWordField (WINS, ^P64W._LEN, WLEN)
				WMIN = \P64B
				WMAX = \P64E
				WLEN = \P64E - \P64B + 1
				Return (WINS)
			}

			/* INTA..INTD of a slot: 16 + (slot + line) % 8. */
			Method (_PRT, 0, Serialized)
			{
				Local0 = Package (128) {}
				Local1 = 0
				While (Local1 < 128)
				{
					Local2 = Local1 >> 2 /* slot */
					Local3 = Local1 & 3 /* line */
					Local4 = Package (4) { 0, 0, 0, 0 }
					Local4[0] = (Local2 << 16) | 0xFFFF
					Local4[1] = Local3
					Local4[3] = 16 + ((Local2 + Local3) & 7)
					Local0[Local1] = Local4
					Local1++
				}
				Return (Local0)
			}
		}

		/* Nobody else may use where PCI's configuration space lies. */
		Device (ECAM)
		{
			Name (_HID, EisaId ("PNP0C02"))
			Name (_UID, 0)
			Name (_CRS, ResourceTemplate () {
				DWordMemory (ResourceConsumer, PosDecode,
					MinFixed, MaxFixed, NonCacheable,
					ReadWrite,
					0, 0xE0000000, 0xEFFFFFFF, 0,
					0x10000000)
			})
		}

		Device (COM1)
		{
			Name (_HID, EisaId ("PNP0501"))
			Name (_UID, 1)
			Name (_CRS, ResourceTemplate () {
				IO (Decode16, 0x3F8, 0x3F8, 1, 8)
				IRQNoFlags () { 4 }
			})
		}

		Device (RTC)
		{
			Name (_HID, EisaId ("PNP0B00"))
			Name (_CRS, ResourceTemplate () {
				IO (Decode16, 0x70, 0x70, 1, 2)
			})
		}

		Device (PEVT)
		{
			Name (_HID, "QEMU0001")
			Name (_STA, 0xB)
			Name (PEST, 0x505)
			Name (_CRS, ResourceTemplate () {
				IO (Decode16, 0x505, 0x505, 1, 1)
			})
		}
	}
}
